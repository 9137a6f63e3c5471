// The circuit as a graph: levels, readers, cones, the critical path, and what a net is called.

/** Levels, readers and names of a circuit's nets. */
class Graph {
  /**
   * @param {Circuit} circuit
   * @param {string[]} gates Name of each table of two operands.
   */
  constructor(circuit, gates) {
    const { firstNode, nodes, begin, operands, outputNets, inputs } = circuit, nets = firstNode + nodes;
    this.circuit = circuit;
    this.gates = gates;
    this.level = new Uint32Array(nets);
    this.readers = new Uint32Array(nets);
    this.live = new Uint8Array(nets);
    /** Word of each input bit. */
    this.wordOf = new Uint32Array(firstNode);
    this.bitOf = new Uint8Array(firstNode);
    for (let i = 0, net = 2; i < inputs.length; i++) {
      for (let bit = 0; bit < inputs[i].width; bit++, net++) {
        this.wordOf[net] = i;
        this.bitOf[net] = bit;
      }
    }
    for (let node = 0; node < nodes; node++) {
      let top = 0;
      for (let j = begin[node]; j < begin[node + 1]; j++) top = Math.max(top, this.level[operands[j]]);
      this.level[firstNode + node] = top + 1;
    }
    this.mark(outputNets, this.live);
    for (const net of outputNets) this.readers[net]++;
    for (let node = 0; node < nodes; node++) {
      if (!this.live[firstNode + node]) continue;
      for (let j = begin[node]; j < begin[node + 1]; j++) this.readers[operands[j]]++;
    }
  }

  /** @param {number} net */
  operandsOf(net) {
    const { firstNode, begin, operands } = this.circuit, node = net - firstNode;
    return node < 0 ? new Uint32Array(0) : operands.subarray(begin[node], begin[node + 1]);
  }

  /**
   * Mark all that some nets depend on, themselves included.
   * @param {ArrayLike<number>} from
   * @param {Uint8Array} marks
   */
  mark(from, marks) {
    for (let i = 0; i < from.length; i++) marks[from[i]] = 1;
    for (let net = marks.length - 1; net >= this.circuit.firstNode; net--) {
      if (marks[net]) for (const operand of this.operandsOf(net)) marks[operand] = 1;
    }
    return marks;
  }

  /**
   * Marks of the cone of some nets.
   * @param {ArrayLike<number>} nets
   */
  cone(nets) {
    return this.mark(nets, new Uint8Array(this.live.length));
  }

  /**
   * A longest path to the deepest of some nets, from an input on.
   * @param {ArrayLike<number>} nets
   */
  criticalPath(nets) {
    const deepest = (/** @type {ArrayLike<number>} */ of) => Array.from(of).reduce((a, b) => (this.level[b] > this.level[a] ? b : a));
    if (!nets.length) return [];
    const path = [deepest(nets)];
    while (path[0] >= this.circuit.firstNode && this.operandsOf(path[0]).length) path.unshift(deepest(this.operandsOf(path[0])));
    return path;
  }

  /**
   * How often marked gates of network and head read each input word, through the encoder or its bits themselves.
   * @param {Uint8Array} marks
   */
  wordReads(marks) {
    const { firstNode, inputs, stage } = this.circuit, reads = new Float64Array(inputs.length);
    /** Words that an encoder's net depends on. @type {Map<number, Set<number>>} */
    const support = new Map();
    const of = (/** @type {number} */ net) => (net > 1 && net < firstNode ? [this.wordOf[net]] : support.get(net) ?? []);
    for (let net = firstNode; net < marks.length; net++) {
      if (!marks[net]) continue;
      if (stage[net - firstNode] === 0) support.set(net, new Set(Array.from(this.operandsOf(net)).flatMap((o) => [...of(o)])));
      else for (const operand of this.operandsOf(net)) for (const word of of(operand)) reads[word]++;
    }
    return reads;
  }

  /** @param {number} net */
  name(net) {
    if (net < 2) return `constant ${net}`;
    if (net >= this.circuit.firstNode) return `n${net}`;
    const word = this.circuit.inputs[this.wordOf[net]];
    return word.width > 1 ? `${word.name}[${this.bitOf[net]}]` : word.name;
  }

  /** Whether a net is a gate's: of no input, constant or wire. @param {number} net */
  isGate(net) {
    const node = net - this.circuit.firstNode, k = this.circuit.arity[node], table = this.circuit.low[node];
    return node >= 0 && (k > 2 || (k === 2 && ![0b0000, 0b1111, 0b1010, 0b1100].includes(table)) || (k === 1 && table === 0b01));
  }

  /** @param {number} net */
  gate(net) {
    const node = net - this.circuit.firstNode;
    if (node < 0) return "input";
    const k = this.circuit.arity[node], table = this.circuit.low[node];
    if (k === 2) return this.gates[table];
    if (k === 1) return this.gates[(5 * table) & 15];
    return `table of ${k}`;
  }

  /**
   * A net in one line.
   * @param {number} net
   * @param {Uint32Array | null} nets Values, where there are some.
   */
  describe(net, nets) {
    const value = nets ? (nets[net] & 1 ? ", on" : ", off") : "";
    if (net < this.circuit.firstNode) return `${this.name(net)}: input, read by ${this.readers[net]}${value}`;
    const operands = Array.from(this.operandsOf(net), (operand) => this.name(operand)).join(", ");
    const stage = STAGES[this.circuit.stage[net - this.circuit.firstNode]];
    return `${this.name(net)}: ${this.gate(net)} of ${operands}; ${stage}, level ${this.level[net]}, read by ${this.readers[net]}${value}`;
  }
}

const STAGES = ["encoder", "network", "head"];
