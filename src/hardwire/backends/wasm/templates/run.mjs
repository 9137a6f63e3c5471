// Runs codes from a file through the emitted JavaScript; arguments: module, .wasm, codes, samples, result.
import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [script, wasm, codes, samples, result] = process.argv.slice(2);
const { load } = await import(pathToFileURL(script));
const model = await load(wasm ? await readFile(wasm) : undefined);
const octets = Uint8Array.from(await readFile(codes));
const words = new @{input_array}(octets.buffer);
const out = model.run(words, Number(samples));
await writeFile(result, new Uint8Array(out.buffer));
