// The circuit as a WebAssembly module that the page carries, for many samples at once where the browser has SIMD.

/** Bytes of codes that are in the module's memory at a time. */
const BATCH = 1 << 18;

/** @param {{width: number}[]} words The smallest array of unsigned numbers that holds every word; null beyond 32 bits. */
function arrayFor(words) {
  const width = Math.max(...words.map((word) => word.width));
  return width <= 8 ? Uint8Array : width <= 16 ? Uint16Array : width <= 32 ? Uint32Array : null;
}

/** Runs the module of backends/wasm: `predict` turns codes into codes, from `heap` on. */
class WasmEngine {
  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {Circuit} circuit
   */
  constructor(bytes, circuit) {
    const { memory, heap, block, predict } = /** @type {any} */ (new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports);
    this.circuit = circuit;
    this.Words = /** @type {Uint8ArrayConstructor} */ (arrayFor(circuit.inputs));
    this.Codes = /** @type {Uint8ArrayConstructor} */ (arrayFor(circuit.outputs));
    this.memory = /** @type {WebAssembly.Memory} */ (memory);
    this.predict = predict;
    this.input = heap.value;
    const sample = circuit.inputs.length * this.Words.BYTES_PER_ELEMENT;
    this.batch = block.value * Math.max(1, Math.floor(BATCH / (block.value * sample)));
    this.output = this.input + Math.ceil((this.batch * sample) / 16) * 16;
    const end = this.output + this.batch * circuit.outputs.length * this.Codes.BYTES_PER_ELEMENT + 16;
    this.memory.grow(Math.max(0, Math.ceil((end - this.memory.buffer.byteLength) / 65536)));
  }

  /**
   * Output words of samples.
   * @param {ArrayLike<number>} codes Codes (sample, word).
   * @returns {Float64Array} (sample, output word).
   */
  run(codes) {
    const { inputs, outputs } = this.circuit, { buffer } = this.memory, count = codes.length / inputs.length;
    const result = new Float64Array(count * outputs.length);
    for (let first = 0; first < count; first += this.batch) {
      const here = Math.min(this.batch, count - first), words = new this.Words(buffer, this.input, here * inputs.length);
      for (let i = 0; i < words.length; i++) words[i] = codes[first * inputs.length + i];
      this.predict(this.input, this.output, here);
      result.set(new this.Codes(buffer, this.output, here * outputs.length), first * outputs.length);
    }
    return result;
  }
}

/**
 * The engine of the module, or null where there is none or the browser cannot run it.
 * @param {Uint8Array<ArrayBuffer> | null} bytes
 * @param {Circuit} circuit
 */
function wasmEngine(bytes, circuit) {
  if (!bytes || !arrayFor(circuit.inputs) || !arrayFor(circuit.outputs)) return null;
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(bytes)) return null;
  try {
    return new WasmEngine(bytes, circuit);
  } catch {
    return null; // some browsers compile no large module at once
  }
}
