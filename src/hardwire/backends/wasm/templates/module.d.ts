// @{generated}.

/** A word of bits. An input's code is clip(floor((number - offset) / step), 0, 2^width - 1); an output's value is offset + step * code. */
export interface Word {
  readonly name: string;
  readonly width: number;
  readonly offset: number;
  readonly step: number;
}

/** One sample's raw numbers, in the order of the inputs or by their names. */
export type Sample = ArrayLike<number> | { readonly [input: string]: number };
/** Codes of input words and of output words, sample after sample. */
export type Words = @{input_array};
export type Codes = @{output_array};
/** What is predicted of one sample. */
export type Prediction = @{prediction};

export interface Model {
  /** How many samples are computed at once. */
  readonly block: number;
  /** Raw numbers to a class or to values for each sample. */
  predict(samples: ReadonlyArray<Sample>): Prediction[];
  /** Input codes, sample after sample, to output codes, sample after sample. */
  run(words: Words | ArrayLike<@{number}>, samples?: number): Codes;
}

export const name: string;
export const digest: string;
export const labels: readonly string[];
export const inputs: readonly Word[];
export const outputs: readonly Word[];

/** The file for this engine: with SIMD or without. */
export function file(): URL;
/** Compile the circuit; by default the file beside this one is taken. */
export function load(source?: string | URL | Response | BufferSource | WebAssembly.Module): Promise<Model>;
/** Raw numbers to the codes that `run` takes. */
export function encode(samples: ReadonlyArray<Sample>): Words;
