"""A circuit as text: the printed form for people, and the canonical one whose hash identifies the circuit."""

from ..core.gates import GATES
from .structure import STAGES, Structure

#: One-input tables by their value.
ONE_INPUT = ("FALSE", "NOT", "WIRE", "TRUE")


def table_name(table: int, k: int) -> str:
    """The name of a node's function: a gate's name, or ``LUT3`` and so on for a wider table."""
    if k > 2:
        return f"LUT{k}"
    return GATES[table].name if k == 2 else ONE_INPUT[table]


def format_circuit(circuit: Structure) -> str:
    """One line a net, operands by name, so that a circuit can be read whole and compared whole."""
    names = circuit.net_names()
    lines = [f"circuit {circuit.name}"]
    lines += [f"input {w.name}[{w.width}]" for w in circuit.inputs]
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist(), circuit.stage.tolist())
    for net, (row, table, k, stage) in enumerate(rows, circuit.first_node):
        operands = ", ".join(names[f] for f in row[:k])
        digits = f":{table:0{1 << k >> 2}x}" if k > 2 else ""
        lines.append(f"{names[net]} = {table_name(table, k)}{digits}({operands})  # {STAGES[stage]}")
    for macro in circuit.macros:
        inputs, outputs = (" ".join(names[n] for n in nets) for nets in (macro.inputs, macro.outputs))
        lines.append(f"macro {outputs} = {macro.kind}({inputs}; {macro.value})")
    for word, nets in circuit.output_words():
        scale = f"  # value = {word.offset:g} + {word.step:g} * code" if word.scaled else ""
        lines.append(f"output {word.name}[{word.width}] = " + " ".join(names[n] for n in nets) + scale)
    return "\n".join(lines) + "\n"


def canonical_text(circuit: Structure) -> str:
    """The text of a `.net` file between its header and its digest: one item a line, the same for equal circuits."""
    lines = [f"name {circuit.name}"]
    lines += [f"label {label}" for label in circuit.labels]
    lines += [f"input {w.name} {w.width} {w.offset!r} {w.step!r}" for w in circuit.inputs]
    rows = zip(circuit.stage.tolist(), circuit.table.tolist(), circuit.arity.tolist(), circuit.fanin.tolist())
    lines.append(f"nodes {circuit.n_nodes}")
    lines += [f"{s} {t:x} {' '.join(map(str, f[:k]))}" for s, t, k, f in rows]
    lines += [f"macro {m.kind} {m.value} {' '.join(map(str, m.inputs))} : {' '.join(map(str, m.outputs))}"
              for m in circuit.macros]
    for word, nets in circuit.output_words():
        scale = f" : {word.offset!r} {word.step!r}" if word.scaled else ""
        lines.append(f"output {word.name} {' '.join(map(str, nets))}{scale}")
    return "\n".join(lines) + "\n"
