// @{generated}.
// A circuit of logic gates in WebAssembly, for browsers, Node, Deno and bundlers; README.md says how to use it.

/** The circuit's name, the SHA-256 of its text, its classes, and its input and output words. */
export const name = @{circuit};
export const digest = @{digest};
export const labels = @{labels};
export const inputs = @{inputs};
export const outputs = @{outputs};

const Words = @{input_array};
const Codes = @{output_array};
const CLASSES = @{classes};
/** Bytes of codes that are in the module's memory at a time. */
const BATCH = 1 << 18;
/** A module that is valid where there are vectors of 128 bits. */
const PROBE = new Uint8Array(@{probe});

/** The file for this engine: 128 samples at once with SIMD, 64 without. */
export function file() {
  return WebAssembly.validate(PROBE)
    ? new URL("./@{name}.wasm", import.meta.url) : new URL("./@{name}_i64.wasm", import.meta.url);
}

/**
 * Compile the circuit.
 * @@param source Where the module is: a URL, a Response, its bytes or a WebAssembly.Module; by default beside this file.
 */
export async function load(source = file()) {
  return new Model(await instantiate(source));
}

async function instantiate(source) {
  if (typeof source === "string" || source instanceof URL) {
    const url = new URL(source, import.meta.url);
    if (url.protocol === "file:" && globalThis.process?.versions?.node) {
      const files = "node:fs/promises";
      source = await (await import(/* webpackIgnore: true */ /* @@vite-ignore */ files)).readFile(url);
    } else {
      source = await fetch(url);
    }
  }
  if (typeof Response !== "undefined" && source instanceof Response) {
    if (!source.ok) throw new Error(`${source.url} cannot be read: ${source.status}; put the .wasm file there`);
    source = await source.arrayBuffer();
  }
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  return WebAssembly.instantiate(module);
}

/** A compiled circuit. */
class Model {
  #exports;
  #output;
  #batch;

  constructor(instance) {
    const { memory, heap, block } = (this.#exports = instance.exports);
    const sample = inputs.length * Words.BYTES_PER_ELEMENT;
    this.block = block.value;
    this.#batch = this.block * Math.max(1, Math.floor(BATCH / (this.block * Math.max(1, sample))));
    this.#output = heap.value + Math.ceil((this.#batch * sample) / 16) * 16;
    const end = this.#output + this.#batch * outputs.length * Codes.BYTES_PER_ELEMENT + 16;
    memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / 65536)));
  }

  /** Raw numbers, a row or an object by input name for each sample, to a class or to values for each sample. */
  predict(samples) {
    const codes = this.run(encode(samples), samples.length);
    return Array.from({ length: samples.length }, (_, i) => decode(codes, i * outputs.length));
  }

  /** Input codes, sample after sample, to output codes, sample after sample. */
  run(words, samples = inputs.length ? words.length / inputs.length : 0) {
    if (!Number.isInteger(samples) || words.length !== samples * inputs.length) {
      throw new RangeError(`${words.length} codes are no whole samples; give ${inputs.length} for each sample`);
    }
    const codes = words instanceof Words ? words : Words.from(words);
    const result = new Codes(samples * outputs.length);
    const { memory, heap, predict } = this.#exports;
    for (let start = 0; start < samples; start += this.#batch) {
      const count = Math.min(this.#batch, samples - start);
      const part = codes.subarray(start * inputs.length, (start + count) * inputs.length);
      new Words(memory.buffer, heap.value, part.length).set(part);
      predict(heap.value, this.#output, count);
      result.set(new Codes(memory.buffer, this.#output, count * outputs.length), start * outputs.length);
    }
    return result;
  }
}

/** Raw numbers to the codes that `run` takes: clip(floor((number - offset) / step), 0, 2^width - 1). */
export function encode(samples) {
  const codes = new Words(samples.length * inputs.length);
  let at = 0;
  samples.forEach((sample, i) => {
    const isRow = Array.isArray(sample) || ArrayBuffer.isView(sample);
    const row = isRow ? sample : inputs.map((word) => sample[word.name]);
    if (row.length !== inputs.length) {
      throw new RangeError(`sample ${i} has ${row.length} numbers; give ${inputs.length}, or an object by input name`);
    }
    inputs.forEach((word, j) => (codes[at++] = code(word, row[j], i)));
  });
  return codes;
}

function code(word, number, i) {
  const level = Math.floor((Number(number) - word.offset) / word.step);
  if (number === null || number === undefined || !Number.isFinite(Number(number))) {
    throw new RangeError(`sample ${i} has ${number} in input ${JSON.stringify(word.name)}; give a finite number`);
  }
  const top = 2 ** word.width;
  if (Words !== BigUint64Array) return Math.min(Math.max(level, 0), top - 1);
  return level >= top ? (1n << BigInt(word.width)) - 1n : BigInt(Math.max(level, 0));
}

/** The class or the values of the sample whose output codes begin at `at`. */
function decode(codes, at) {
  const values = outputs.map((word, j) => word.offset + word.step * Number(codes[at + j]));
  const label = CLASSES ? labels[values[0]] ?? String(values[0]) : undefined;
  if (outputs.length === 1) return CLASSES ? label : values[0];
  const named = Object.fromEntries(outputs.map((word, j) => [word.name, values[j]]));
  return CLASSES ? { ...named, label } : named;
}
