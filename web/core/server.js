/** What the page asks of the server: functions of Python, and files that never change. */

const ATTEMPTS = 2; // behind a load balancer, the second may reach another server
const RETRY = 500; // ms
const NO_ANSWER = "The server is not responding. Try again.";

/** An answer that did not come, with a sentence for the user. */
export class ServerError extends Error {
  /** @param {string} message @param {boolean} refused whether the server said why */
  constructor(message, refused = false) {
    super(message);
    this.name = "ServerError";
    this.refused = refused;
  }
}

/**
 * The body of an answer.
 *
 * @param {Response} answer
 * @param {(share: number) => void} onProgress called with the share that is there
 */
async function collect(answer, onProgress) {
  const size = Number(answer.headers.get("x-uncompressed-length")); // content-length is compressed
  if (!size || !answer.body) return answer.arrayBuffer();
  const reader = answer.body.getReader();
  /** @type {BlobPart[]} */
  const pieces = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces).arrayBuffer();
    pieces.push(/** @type {Uint8Array<ArrayBuffer>} */ (value));
    bytes += value.length;
    onProgress(bytes / size);
  }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls `attempt` again if it fails.
 *
 * @template T
 * @param {() => Promise<T>} attempt
 */
async function insist(attempt) {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await pause(RETRY);
    }
  }
}

/**
 * Never comes: for what a page asked that has been replaced. A new one for each, since a promise
 * keeps all that wait for it.
 *
 * @returns {Promise<never>}
 */
const never = () => new Promise(() => {});

export class Server {
  #functions;
  #root;
  #model;
  #signal;
  /** @type {Map<string, Promise<ArrayBuffer>>} */
  #files = new Map();

  /**
   * @param {Record<string, (...values: any[]) => Promise<any>>} functions of gr.HTML, by name
   * @param {string} root where the model's files are
   * @param {string} [model] what names the model in each question, which has it at its end
   * @param {AbortSignal} [signal] after which no answer comes any more
   */
  constructor(functions, root, model, signal) {
    this.#functions = functions;
    this.#root = root;
    this.#model = model;
    this.#signal = signal;
  }

  /**
   * The answer of a function of Python.
   *
   * @param {string} name @param {...unknown} values
   * @returns {Promise<any>}
   * @throws {ServerError} with a sentence to show
   */
  async ask(name, ...values) {
    if (this.#signal?.aborted) return never();
    const asked = this.#model === undefined ? values : [...values, this.#model];
    const answer = await this.#functions[name](...asked).catch(() => null);
    if (this.#signal?.aborted) return never();
    // Gradio swallows what went wrong with a request.
    if (!answer) throw new ServerError(NO_ANSWER);
    if (answer.error) throw new ServerError(answer.error, true);
    return answer;
  }

  /** The address of one of the model's files. @param {string} name */
  address(name) {
    return `${this.#root}${name}`;
  }

  /**
   * One of the model's files, fetched once.
   *
   * @param {string} name
   * @param {(share: number) => void} [onProgress] called with the share that is there
   * @returns {Promise<ArrayBuffer>}
   * @throws {ServerError} with a sentence to show
   */
  file(name, onProgress) {
    if (this.#signal?.aborted) return never();
    let file = this.#files.get(name);
    if (!file) {
      file = insist(() => this.#fetch(name, onProgress));
      this.#files.set(name, file);
      file.catch(() => this.#files.delete(name)); // the next call tries again
    }
    return file;
  }

  /**
   * @param {string} name @param {(share: number) => void} [onProgress]
   * @returns {Promise<ArrayBuffer>}
   */
  async #fetch(name, onProgress) {
    try {
      const answer = await fetch(this.address(name));
      if (!answer.ok) throw new ServerError(NO_ANSWER);
      return await (onProgress ? collect(answer, onProgress) : answer.arrayBuffer());
    } catch {
      throw new ServerError(NO_ANSWER);
    }
  }
}
