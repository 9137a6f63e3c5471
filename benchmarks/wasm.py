"""An emitted WebAssembly module beside the packed engine: one thread, codes in, codes out, in turns.

``circuit`` is a ``.net`` file. Without it the circuit is that of ``packed``: 48,000 gates that are not trained, of
which passes leave more than of a trained network. The module runs in wasmtime on samples that lie in its memory; the
packed engine is called as a user calls it. With Node the emitted JavaScript is timed too, copies included, in a
process of its own, so that its figure is no ratio of one run.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from hardwire.backends import BACKENDS
from hardwire.backends.wasm import module
from hardwire.backends.wasm.engines import Instance
from hardwire.circuit import load_circuit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.core import programs

from .framework import Figures, RefusedError, Say, repeat
from .packed import untrained

NODE = """
import {{ readFile }} from "node:fs/promises";
import {{ load }} from "./{name}.js";
const model = await load(), words = new {array}(Uint8Array.from(await readFile("words")).buffer);
const begin = performance.now();
model.run(words, {samples});
const first = performance.now() - begin, times = [];
for (const end = performance.now() + 2000; performance.now() < end;) model.run(words, {samples});
for (let i = 0; i < {runs}; i++) {{
  const start = performance.now();
  model.run(words, {samples});
  times.push(performance.now() - start);
}}
times.sort((a, b) => a - b);
const [min_s, median_s] = [times[0] / 1e3, times[times.length >> 1] / 1e3];
console.log(JSON.stringify({{ first_s: first / 1e3, min_s, median_s }}));
"""


def figures(say: Say, *, circuit: str = "", samples: int = 16_384, runs: int = 15) -> Figures:
    """Measure; RefusedError where module and packed engine differ from the interpreter or from each other."""
    loaded = load_circuit(Path(circuit)) if circuit else untrained()
    top = [2**w - 1 for w in loaded.input_widths]
    x = np.random.default_rng(0).integers(0, top, (samples, len(top)), dtype=loaded.input_dtype, endpoint=True)
    engine = PackedEngine(loaded)
    start = time.perf_counter()
    content = module(loaded)
    written = time.perf_counter() - start
    start = time.perf_counter()
    instance = Instance(loaded, content, samples)
    compiled = time.perf_counter() - start
    instance.give(x)
    instance.predict(samples)
    if not np.array_equal(engine(x[:777]), simulate(loaded, x[:777])):
        raise RefusedError("the packed engine differs from the interpreter")
    if not np.array_equal(instance.take(samples), engine(x)):
        raise RefusedError("the module differs from the packed engine")
    say(f"time {samples} samples")
    packed, wasm = repeat(lambda: engine(x), lambda: instance.predict(samples), runs=runs)
    result: Figures = {
        "samples": samples, "threads": 1, "module_bytes": len(content), "write_s": written, "compile_s": compiled,
        "packed": packed, "wasmtime": wasm, "speed_ratio": packed["min_s"] / wasm["min_s"],
        "speed_ratio_median": packed["median_s"] / wasm["median_s"],
        "images_per_s": samples / wasm["min_s"], "images_per_s_median": samples / wasm["median_s"],
    }
    if programs.find(programs.NODE):
        say("time the emitted JavaScript in Node")
        node = _in_node(loaded, x, runs)
        result |= {"node": node, "node_to_packed": packed["min_s"] / node["min_s"]}
    return result


def _in_node(circuit, x, runs: int) -> Figures:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        BACKENDS["wasm"].emit(circuit, folder, name="net")
        (folder / "words").write_bytes(x.tobytes())
        array = {1: "Uint8Array", 2: "Uint16Array", 4: "Uint32Array", 8: "BigUint64Array"}[x.itemsize]
        (folder / "time.mjs").write_text(NODE.format(name="net", array=array, samples=len(x), runs=runs))
        return json.loads(programs.run(programs.NODE, ["time.mjs"], cwd=folder))
