"""What the page of a logic run carries of its circuit and its test samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends.wasm import module
from ..circuit import Circuit
from ..circuit.engine.packed import PackedEngine
from ..data import Dataset
from ..logic.model import Model
from ..logic.outputs import outputs_of
from ..logic.record import best_circuit
from ..report.instrument import Carried, Graph, Instrument, spread
from ..runs.directory import RunDirectory

#: Test samples that a page carries, and wrongly classified ones beyond those.
SAMPLES, WRONG = 1000, 200


def instrument_of_run(model: Model, dataset: Dataset, directory: RunDirectory) -> Instrument:
    """Return what the page carries of a run's best circuit; macros that were not proved are not used."""
    best = best_circuit(directory)
    sound = best if best.digest in directory.known_circuits() else best.with_(macros=())
    return instrument_of(sound, model, dataset)


def instrument_of(circuit: Circuit, model: Model, dataset: Dataset) -> Instrument:
    """Return a circuit with test samples: evenly spaced ones, and wrongly classified ones beyond those."""
    codes, y = model.encoder.codes(dataset.test.x), dataset.test.y
    answers = PackedEngine(circuit)(codes)
    rows = spread(len(codes), SAMPLES)
    if model.settings.task == "classify":
        wrong = np.flatnonzero(answers[:, 0] != y)
        rows = np.union1d(rows, wrong[spread(len(wrong), WRONG)])
    carried = Carried(codes=codes[rows], truth=y[rows], answers=answers[rows], rows=rows, total=len(codes))
    return Instrument(graph_of(circuit), model.settings.task, dataset.classes, outputs_of(model), dataset.shape,
                      carried, wasm=module(circuit))


def graph_of(circuit: Circuit) -> Graph:
    """Return a circuit as the arrays that a page is made of."""
    used = np.arange(circuit.fanin.shape[1]) < circuit.arity[:, None]
    return Graph(
        inputs=[(word.name, word.width, word.offset, word.step) for word in circuit.inputs],
        outputs=[(word.name, word.width) for word in circuit.outputs], arity=circuit.arity, table=circuit.table,
        stage=circuit.stage, operands=circuit.fanin[used], output_nets=circuit.output_nets, votes=_votes(circuit),
        level=circuit.level)  # fmt: skip


def _votes(circuit: Circuit) -> NDArray[Any]:
    """Nets of each class's count (classes, bits): the words whose largest the class index is."""
    width = circuit.outputs[0].width if circuit.outputs else 0
    index = tuple(circuit.output_nets[:width].tolist())
    macro = next((m for m in circuit.macros if m.kind == "argmax" and m.outputs == index), None)
    words = np.array(macro.inputs, np.int64).reshape(macro.value, -1) if macro else np.empty((0, 0), np.int64)
    return words if len(words) == max(1, len(circuit.labels)) else words[:0]
