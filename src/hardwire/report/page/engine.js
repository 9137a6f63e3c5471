// The circuit computed: 32 samples in a word, one bit each.

/** Words of 32 samples that are computed together. */
const LANES = 8;

/** Runs a circuit on codes of its input words. */
class Engine {
  /** @param {Circuit} circuit */
  constructor(circuit) {
    this.circuit = circuit;
    this.masks = new Uint32Array(64);
    /** Where each input word's bits begin. */
    this.start = new Uint32Array(circuit.inputs.length);
    for (let i = 0, net = 2; i < circuit.inputs.length; net += circuit.inputs[i++].width) this.start[i] = net;
    /** @type {Map<number, Uint32Array>} */
    this.memory = new Map();
  }

  /**
   * Values of all nets, `lanes` words for each net.
   * @param {ArrayLike<number>} codes Codes (sample, word).
   * @param {number} first The first sample.
   * @param {number} count Samples, at most 32 times `lanes`.
   * @param {number} lanes
   * @returns {Uint32Array} Valid until the next call with as many lanes.
   */
  evaluate(codes, first, count, lanes) {
    const { circuit } = this, size = (circuit.firstNode + circuit.nodes) * lanes;
    const nets = this.memory.get(lanes) ?? new Uint32Array(size);
    this.memory.set(lanes, nets);
    nets.fill(0, 0, circuit.firstNode * lanes);
    nets.fill(0xffffffff, lanes, 2 * lanes);
    this.pack(codes, first, count, lanes, nets);
    const { arity, begin, operands, low } = circuit;
    for (let node = 0, out = circuit.firstNode * lanes; node < circuit.nodes; node++, out += lanes) {
      const at = begin[node];
      if (arity[node] !== 2) {
        this.table(node, out, lanes, nets);
        continue;
      }
      const t = low[node], m0 = -(t & 1), m1 = -((t >> 1) & 1), m2 = -((t >> 2) & 1), m3 = -((t >> 3) & 1);
      const a = operands[at] * lanes, b = operands[at + 1] * lanes;
      for (let i = 0; i < lanes; i++) {
        const x = nets[a + i], y = nets[b + i];
        nets[out + i] = (y & ((x & m3) | (~x & m2))) | (~y & ((x & m1) | (~x & m0)));
      }
    }
    return nets;
  }

  /**
   * A node of any number of operands: its table is halved by each operand in turn.
   * @param {number} node
   * @param {number} out
   * @param {number} lanes
   * @param {Uint32Array} nets
   */
  table(node, out, lanes, nets) {
    const { arity, begin, operands, low, high } = this.circuit, { masks } = this, k = arity[node];
    for (let lane = 0; lane < lanes; lane++) {
      for (let i = 0; i < 1 << k; i++) masks[i] = -((i < 32 ? low[node] >>> i : high[node] >>> (i - 32)) & 1);
      for (let j = 0; j < k; j++) {
        const x = nets[operands[begin[node] + j] * lanes + lane];
        for (let i = 0; i < 1 << (k - 1 - j); i++) masks[i] = (x & masks[2 * i + 1]) | (~x & masks[2 * i]);
      }
      nets[out + lane] = masks[0];
    }
  }

  /**
   * @param {ArrayLike<number>} codes
   * @param {number} first
   * @param {number} count
   * @param {number} lanes
   * @param {Uint32Array} nets
   */
  pack(codes, first, count, lanes, nets) {
    const { inputs } = this.circuit, words = inputs.length;
    for (let s = 0; s < count; s++) {
      const bit = 1 << (s & 31), lane = s >> 5, row = (first + s) * words;
      for (let w = 0; w < words; w++) {
        for (let code = codes[row + w], net = this.start[w] * lanes + lane; code; code = Math.floor(code / 2), net += lanes) {
          if (code % 2) nets[net] |= bit;
        }
      }
    }
  }

  /**
   * Output words of samples.
   * @param {ArrayLike<number>} codes Codes (sample, word).
   * @returns {Float64Array} (sample, output word).
   */
  run(codes) {
    const { inputs, outputs, outputNets } = this.circuit;
    const count = codes.length / inputs.length, result = new Float64Array(count * outputs.length);
    for (let first = 0; first < count; first += 32 * LANES) {
      const here = Math.min(32 * LANES, count - first), nets = this.evaluate(codes, first, here, LANES);
      for (let s = 0; s < here; s++) {
        for (let o = 0, bit = 0; o < outputs.length; o++) {
          result[(first + s) * outputs.length + o] = number(nets, outputNets, bit, outputs[o].width, s, LANES);
          bit += outputs[o].width;
        }
      }
    }
    return result;
  }

  /**
   * One sample, with everything that the page shows of it.
   * @param {ArrayLike<number>} codes Codes of the input words.
   * @returns {{nets: Uint32Array, words: number[], votes: number[]}} `nets` holds 0 or all ones in bit 0 of each net.
   */
  one(codes) {
    const nets = this.evaluate(codes, 0, 1, 1), { outputs, outputNets, voteNets } = this.circuit;
    let bit = 0;
    const words = outputs.map(({ width }) => number(nets, outputNets, (bit += width) - width, width, 0, 1));
    return { nets, words, votes: this.votes(nets, 0, 1, voteNets) };
  }

  /**
   * The classes' counts.
   * @param {Uint32Array} nets
   * @param {number} sample
   * @param {number} lanes
   * @param {Uint32Array} of
   * @returns {number[]}
   */
  votes(nets, sample, lanes, of) {
    const classes = this.circuit.voteClasses, width = classes ? of.length / classes : 0, counts = [];
    for (let c = 0; c < classes; c++) counts.push(number(nets, of, c * width, width, sample, lanes));
    return counts;
  }
}

/**
 * A word of one sample, least significant bit first.
 * @param {Uint32Array} nets
 * @param {Uint32Array} of
 * @param {number} first
 * @param {number} width
 * @param {number} sample
 * @param {number} lanes
 */
function number(nets, of, first, width, sample, lanes) {
  let value = 0;
  for (let j = 0; j < width; j++) {
    if ((nets[of[first + j] * lanes + (sample >> 5)] >>> (sample & 31)) & 1) value += 2 ** j;
  }
  return value;
}

/**
 * Physical values as codes: clip(floor((value - offset) / step), 0, 2^width - 1).
 * @param {InputWord} word
 * @param {number} value
 */
function codeOf(word, value) {
  return Math.min(2 ** word.width - 1, Math.max(0, Math.floor((value - word.offset) / word.step)));
}
