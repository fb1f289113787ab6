// node neighbours_files.js means.f32 labels.u8 classes positions.f32
// Writes what is around each position, in JSON.
import { readFileSync } from "node:fs";
import { entropy, Neighbours, priorBeyond, priorRadius } from "../../web/core/neighbours.js";

const [means, labels, classes, positions] = process.argv.slice(2);
/** @param {string} path */
const numbers = (path) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);
const groups = new Uint8Array(readFileSync(labels));
const encodings = numbers(means);
const neighbours = new Neighbours(encodings, groups, Number(classes));
const size = encodings.length / groups.length;
const z = numbers(positions);
const found = [];
for (let at = 0; at < z.length; at += size) {
  const position = z.subarray(at, at + size);
  neighbours.find(position);
  const radius = priorRadius(position);
  found.push({
    indices: Array.from(neighbours.indices),
    shares: Array.from(neighbours.shares),
    within: neighbours.within,
    distance: neighbours.distance,
    entropy: entropy(neighbours.shares),
    radius,
    beyond: priorBeyond(radius),
  });
}
process.stdout.write(JSON.stringify(found));
