// @{generated}.
// node test.mjs: says PASS where both modules give what the circuit gives on the vectors below.
import { readFile } from "node:fs/promises";
import { encode, inputs, load, outputs } from "./@{name}.js";

const VECTORS = @{vectors};
const words = bytes("@{words}", @{input_array});
const expected = bytes("@{expected}", @{output_array});

function bytes(base64, Kind) {
  const octets = Uint8Array.from(Buffer.from(base64, "base64"));
  return new Kind(octets.buffer, 0, octets.length / Kind.BYTES_PER_ELEMENT);
}

/** The vectors over and over, up to `samples` of them. */
function repeated(codes, samples, width) {
  return codes.constructor.from({ length: samples * width }, (_, i) => codes[i % codes.length]);
}

let failures = 0;
function check(what, same) {
  if (!same) {
    failures += 1;
    console.log(`FAIL: ${what}`);
  }
}

const equal = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
for (const file of ["@{name}.wasm", "@{name}_i64.wasm"]) {
  const model = await load(await readFile(new URL(file, import.meta.url)));
  for (const samples of [1, VECTORS, 63, 64, 65, 127, 128, 129, 300]) {
    const got = model.run(repeated(words, samples, inputs.length), samples);
    check(`${file}, ${samples} samples`, equal(got, repeated(expected, samples, outputs.length)));
  }
}
const model = await load();
const middle = Array.from({ length: VECTORS }, (_, i) => inputs.map((word, j) =>
  word.offset + word.step * (Number(words[i * inputs.length + j]) + 0.5)));
if (inputs.every((word) => word.width < 50)) check("raw numbers to codes", equal(encode(middle), words));
check("a prediction for each sample", model.predict(middle).length === VECTORS);
console.log(failures ? `FAIL: ${failures} checks` : `PASS: ${VECTORS} vectors`);
process.exitCode = failures ? 1 : 0;
