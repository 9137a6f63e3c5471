"""The verb ``score``."""

from pathlib import Path
from typing import Any

import rich_click as click

from .flow import lines
from .output import Output
from .verbs import DATASET, circuit_argument, data_dir_option, verb


@verb("hardwire score runs/mnist\nhardwire score runs/mnist --liberty sky130_hd_tt.lib\n"
      "hardwire score mnist.net --liberty sky130_hd_tt.lib.xz --board --dataset mnist --json\n"
      "hardwire score runs/mnist --luts --dataset mnist")
@circuit_argument
@click.option("--liberty", metavar="FILE", help="Map to the cells of this Liberty file (.lib, .lib.gz, .lib.xz).")
@click.option("--board", is_flag=True, help="Map by the open board's script too.")
@click.option("--luts", is_flag=True, help="Cover by look-up tables of up to six inputs, kept and counted by Yosys.")
@click.option("--dataset", metavar="DATASET", help=f"Simulate the netlists on its test samples. {DATASET}")
@click.option("--input", "samples", metavar="FILE", help="Simulate the netlists on a .npy array (samples, words).")
@data_dir_option
def score(output: Output, *, circuit: str, liberty: str | None, board: bool, luts: bool, dataset: str | None,
          samples: str | None, data_dir: Path | None) -> int:
    """The cost of the whole circuit: gates, tables, depth; area and delay in a cell library."""
    from ..workflow.scores import score_circuit

    data = score_circuit(circuit, liberty=liberty, board=board, luts=luts, dataset=dataset, samples=samples,
                         data_dir=data_dir, progress=output.say)
    output.answer(data, "\n".join([*stage_lines(data), *lut_lines(data), *library_lines(data), *flow_lines(data)]))
    return 0


def stage_lines(data: dict[str, Any]) -> list[str]:
    """Word the stages as a table."""
    titles = ["", "gates", "inverters", "wires", "constants", "depth", "GE, unmapped", "tables: number"]
    rows = [titles]
    for stage, s in data["stages"].items():
        tables = ", ".join(f"LUT{k}: {count:,}" for k, count in s["tables"].items())
        ge = f"{s['ge']:,.1f}" if "ge" in s else ""
        rows.append([stage, *(f"{s[key]:,}" for key in ("two_input", "inverters", "wires", "constants", "depth")), ge,
                     tables])
    if not any(row[6] for row in rows[1:]):
        rows = [row[:6] + row[7:] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for name, *numbers, tables in rows:
        cells = [name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(numbers, widths[1:])), tables]
        lines.append("  ".join(cells).rstrip())
    return lines


def lut_lines(data: dict[str, Any]) -> list[str]:
    """Word what the circuit costs in look-up tables."""
    if "luts" not in data:
        return []
    luts = data["luts"]
    sizes = ", ".join(f"{kind}: {count:,}" for kind, count in luts["sizes"].items())
    stages = ", ".join(f"{stage} {count:,}" for stage, count in luts["stages"].items())
    notes = "; ".join([f"depth {luts['depth']}", *_notes(luts)])
    return ["", f"{'look-up tables':<15} {luts['luts']:>11,} LUT6  {notes}",
            f"{stages}; {sizes or 'none'}", luts["version"]]


def library_lines(data: dict[str, Any]) -> list[str]:
    """Word what the library's netlists cost, side by side."""
    if "library" not in data:
        return []
    library = data["library"]
    adders = ", ".join(library[key] or f"no {key.replace('_', '-')}" for key in ("full_adder", "half_adder"))
    lines = ["", f"{library['name']}: {library['cells']} cells, 1 GE = {library['nand2_area']:g} ({library['nand2']}), "
                 f"adders: {adders}"]
    for key, title in (("board", "board's script"), ("area", "least area"), ("delay", "least delay")):
        if key in data:
            lines.append(f"{title:<15} {data[key]['ge']:>11,.1f} GE  {'; '.join(_notes(data[key]))}")
    return [*lines, data["area"]["version"]]


def flow_lines(data: dict[str, Any]) -> list[str]:
    """Word what outside tools made of the circuit."""
    return [line for entry in data.get("flows", {}).values() for line in ("", *lines(entry))]


def _notes(entry: dict[str, Any]) -> list[str]:
    """Word what else is known of a netlist."""
    notes = []
    if entry.get("delay_ps") is not None:
        notes.append(f"{entry['delay_ps']:,.0f} ps without wires")
    if entry.get("accuracy") is not None:
        notes.append(f"accuracy {100 * entry['accuracy']:.2f} %")
    if "method" in entry:
        notes.append(entry["method"])
    verified = entry["verified"]
    notes += [f"{key} {text}" for key, text in verified.items()] if isinstance(verified, dict) else [verified]
    return notes
