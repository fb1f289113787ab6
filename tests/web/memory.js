/** Bytes in use, in JavaScript's heap and in buffers outside of it. */
function bytesInUse() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * The bytes that a call allocates.
 *
 * @param {() => void} call
 */
export function bytesPerCall(call) {
  const calls = 500;
  // The median: an optimisation by V8 takes memory in some round, a collection frees it.
  const rounds = Array.from({ length: 15 }, () => {
    const before = bytesInUse();
    for (let i = 0; i < calls; i++) call();
    return (bytesInUse() - before) / calls;
  });
  return rounds.sort((a, b) => a - b)[7];
}

// What reading the memory itself takes, shared among the calls of a round.
export const NOTHING = 50;
