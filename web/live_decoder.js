// The decoder in the browser (core/decoder.js), for all that shows images while the cursor moves.
window.liveDecoder = (() => {
  const PIXELS = 784;
  let decoder = null;
  let images = null; // the module that draws sheets of images
  let addresses = null; // of the modules and the weights
  let worker = null; // draws sheets; undefined where there is none
  let newest = 0;
  const waiting = new Map(); // id of a request of the worker -> what settles it
  const z2 = new Float64Array(2);

  // Resolves once images can be decoded.
  async function load(files) {
    const absolute = ([name, address]) => [name, new URL(address, document.baseURI).href];
    addresses = Object.fromEntries(Object.entries(files).map(absolute));
    const [core, sheets] = await Promise.all([import(addresses.decoder), import(addresses.sheet)]);
    images = sheets;
    decoder = await core.loadDecoder(addresses.weights);
  }

  // Writes the 784 grey levels at z into `out`; allocates nothing.
  function decode(z, out) {
    z2[0] = z.x;
    z2[1] = z.y;
    decoder.pixels(z2, out);
  }

  const frame = new ImageData(28, 28);
  const grey = new Uint8ClampedArray(PIXELS);
  frame.data.fill(255);

  // Paints the image at z on a 28 x 28 canvas; does nothing until the decoder is loaded.
  function paint(context, z) {
    if (!decoder) return;
    decode(z, grey);
    for (let k = 0; k < PIXELS; k++) frame.data.fill(grey[k], 4 * k, 4 * k + 3);
    context.putImageData(frame, 0, 0);
  }

  function startWorker() {
    try {
      worker = new Worker(addresses.worker, { type: "module" });
    } catch {
      worker = undefined;
      return;
    }
    worker.onmessage = ({ data: { id, sheet, error } }) => {
      const request = waiting.get(id); // gone if a newer one was asked for meanwhile
      waiting.delete(id);
      if (error) request?.reject(new Error(error));
      else request?.resolve(sheet);
    };
    worker.onerror = () => {
      worker = undefined; // for example a browser without modules in workers
      for (const { plan, resolve } of waiting.values()) resolve(drawHere(plan));
      waiting.clear();
    };
  }

  function drawHere(plan) {
    const rows = images.drawSheet(decoder, plan);
    let step = rows.next();
    while (!step.done) step = rows.next();
    return step.value;
  }

  // The pixels of a sheet of images (see core/image_sheet.js); null if a newer one was asked for.
  async function sheet(plan) {
    const id = ++newest;
    if (worker === null) startWorker();
    if (worker === undefined) return drawHere(plan);
    for (const [older, { resolve }] of waiting) {
      resolve(null);
      waiting.delete(older);
    }
    return new Promise((resolve, reject) => {
      waiting.set(id, { plan, resolve, reject });
      worker.postMessage({ id, weights: addresses.weights, ...plan });
    });
  }

  return {
    load,
    decode,
    paint,
    sheet,
    get ready() {
      return decoder !== null;
    },
  };
})();
