"""The include file of a core: widths, latency, classes, and which bits of its vectors are which word."""

from ...circuit import Circuit
from ...circuit.formats.words import generated_by
from .module import Design
from .ports import places, port_names


def include_file(circuit: Circuit, design: Design) -> str:
    """The text of ``NAME_parameters.vh``; every macro in it begins with the module's name in upper case."""
    prefix = design.name.upper()
    widths = ("X", "x", circuit.input_widths), ("Y", "y", circuit.output_widths)
    names = dict(zip("XY", port_names(circuit, design.name)))
    values = [("X", max(1, circuit.n_input_bits), "bits of all input words, the first word lowest"),
              ("Y", sum(circuit.output_widths), "bits of all output words, the first word lowest"),
              ("LATENCY", design.latency, "clocks from x to y, enabled ones where there is ce; 0: combinational"),
              ("CLASSES", _classes(circuit), "classes that are told apart")]
    lines = [f"`define {prefix}_{key} {value}  // {what}" for key, value, what in values if value is not None]
    for key, vector, bits in widths:
        lines += ["", f"// Range of each word in {vector}, as in {vector}[`{prefix}_{key}_WORD]."]
        lines += [f"`define {prefix}_{key}_{name} {high}:{low}" for name, (high, low) in zip(names[key], places(bits))]
    body = "\n".join(lines)
    return f"""// {generated_by(circuit)}.
// Values of module {design.name}.
`ifndef {prefix}_PARAMETERS_VH
`define {prefix}_PARAMETERS_VH
{body}
`endif
"""


def _classes(circuit: Circuit) -> int | None:
    """How many classes the first output word tells apart; None where the circuit does not say so."""
    if circuit.labels:
        return len(circuit.labels)
    nets = circuit.output_words()[0][1]
    return next((m.value for m in circuit.macros if m.kind == "argmax" and list(m.outputs) == nets), None)
