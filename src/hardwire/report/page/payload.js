// What the page carries: a header in JSON and arrays of whole numbers, as report/instrument.py writes them.

/**
 * @typedef {{name: string, width: number, offset: number, step: number}} InputWord
 * @typedef {{name: string, width: number}} OutputWord
 * @typedef {{name: string, word: string, bias?: number, scale?: number}} Meaning
 */

/**
 * A circuit: nets 0 and 1 are constants, then the bits of the input words, then one net for each node.
 * @typedef {object} Circuit
 * @property {InputWord[]} inputs
 * @property {OutputWord[]} outputs
 * @property {number} bits Bits of all input words.
 * @property {number} firstNode Net of node 0.
 * @property {number} nodes
 * @property {Uint8Array} arity
 * @property {Uint8Array} stage 0 encoder, 1 network, 2 head.
 * @property {Uint32Array} begin Where a node's operands begin in `operands`; one more at the end.
 * @property {Uint32Array} operands Nets.
 * @property {Uint32Array} low Truth tables, their lower 32 bits, operand 0 the lowest address bit.
 * @property {Uint32Array} high Their upper 32 bits.
 * @property {Uint32Array} outputNets
 * @property {number} voteClasses Classes whose counts are known, 0 where none is.
 * @property {Uint32Array} voteNets Nets of the classes' counts, equally many for each class.
 */

/**
 * @typedef {object} Samples
 * @property {number} count
 * @property {number} total Test samples that there are.
 * @property {Uint32Array} codes Codes of the input words (sample, word).
 * @property {Float64Array | number[]} truth True class; or true targets or labels (sample, output).
 * @property {Uint32Array} rows Number of each among the test samples.
 * @property {Uint32Array} answers Output words of the packed engine (sample, word).
 */

/**
 * @typedef {object} Payload
 * @property {"classify" | "regress" | "multilabel"} task
 * @property {string[]} classes
 * @property {Meaning[]} meaning Of the output words, where they are no class.
 * @property {number[] | null} shape Channels, height, width.
 * @property {Circuit} circuit
 * @property {Samples} samples
 * @property {Uint8Array<ArrayBuffer> | null} wasm
 */

/**
 * @param {string} text Base64 of zlib data.
 * @param {number} size Bytes after decompression.
 * @returns {Payload}
 */
function readPayload(text, size) {
  const packed = atob(text.trim()), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const data = inflate(bytes, size);
  const length = new DataView(data.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  const arrays = /** @type {Record<string, Uint32Array>} */ ({});
  let at = 4 + length;
  for (const [name, count, planes] of header.arrays) {
    const values = new Uint32Array(count);
    for (let plane = 0; plane < planes; plane++, at += count) {
      for (let i = 0; i < count; i++) values[i] |= data[at + i] << (8 * plane);
    }
    arrays[name] = values;
  }
  const wasm = header.wasm ? new Uint8Array(data.subarray(at, at + header.wasm)) : null;
  return { ...header, circuit: circuitOf(header, arrays), samples: samplesOf(header, arrays), wasm };
}

/**
 * @param {any} header
 * @param {Record<string, Uint32Array>} arrays
 * @returns {Circuit}
 */
function circuitOf(header, arrays) {
  const nodes = arrays.arity.length, begin = new Uint32Array(nodes + 1);
  for (let i = 0; i < nodes; i++) begin[i + 1] = begin[i] + arrays.arity[i];
  /** @type {InputWord[]} */
  const inputs = header.inputs.map((/** @type {any[]} */ [name, width, offset, step]) => ({ name, width, offset, step }));
  const bits = inputs.reduce((sum, word) => sum + word.width, 0), firstNode = 2 + bits;
  const operands = arrays.distance; // from a node back to its operands: small numbers are compressed well
  for (let node = 0; node < nodes; node++) {
    for (let j = begin[node]; j < begin[node + 1]; j++) operands[j] = firstNode + node - operands[j];
  }
  return {
    inputs, bits, firstNode, nodes, begin, operands,
    outputs: header.outputs.map((/** @type {any[]} */ [name, width]) => ({ name, width })),
    arity: Uint8Array.from(arrays.arity), stage: Uint8Array.from(arrays.stage),
    low: arrays.low, high: arrays.high.length ? arrays.high : new Uint32Array(nodes),
    outputNets: arrays.outputNets, voteNets: arrays.voteNets, voteClasses: header.votes,
  };
}

/**
 * @param {any} header
 * @param {Record<string, Uint32Array>} arrays
 * @returns {Samples}
 */
function samplesOf(header, arrays) {
  return {
    count: arrays.rows.length, total: header.total, codes: arrays.codes, rows: arrays.rows, answers: arrays.answers,
    truth: header.truth,
  };
}
