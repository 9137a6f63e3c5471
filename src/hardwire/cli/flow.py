"""The verb ``flow``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .output import Output
from .verbs import DATASET, circuit_argument, data_dir_option, verb

if TYPE_CHECKING:
    from ..workflow.flow import Objective


@verb("hardwire flow runs/digits --target ecp5\nhardwire flow digits.net --target ice40 --device hx8k --clock 60\n"
      "hardwire flow runs/mnist --target ecp5 --device ulx3s-85f --pipeline 2 --timeout 1800\n"
      "hardwire flow runs/digits --target liberty:sky130_hd_tt.lib")
@circuit_argument
@click.option("--target", required=True, metavar="NAME",
              help="ice40, ecp5, gowin, xilinx, liberty:FILE, a Liberty file (.lib, .lib.gz, .lib.xz), or osu018, for "
              "qflow.")
@click.option("--device", metavar="NAME", help="Board, or device with its package, such as hx8k or 25k-CABGA381.")
@click.option("--clock", type=float, metavar="MHZ", help="Frequency to ask for (default: one in reach, then more).")
@click.option("--objective", type=click.Choice(["area", "depth", "delay"]), default="area",
              help="What the mapping makes small (default: area).")
@click.option("--pipeline", type=int, metavar="N",
              help="Levels of tables between registers; 0: none (default: the target's).")
@click.option("--seed", type=int, default=1, metavar="N", help="Of place and route (default: 1).")
@click.option("--timeout", type=float, default=900, metavar="S", help="Seconds for the whole flow (default: 900).")
@click.option("--dataset", metavar="DATASET",
              help=f"Its test samples are simulated where a proof does not end (default: the run's own). {DATASET}")
@click.option("--input", "samples", metavar="FILE", help="The same with a .npy array (samples, words).")
@click.option("--fresh", is_flag=True, help="Repeat stages whose inputs are those of before.")
@data_dir_option
def flow(output: Output, *, circuit: str, target: str, device: str | None, clock: float | None,  # noqa: PLR0913
         objective: "Objective", pipeline: int | None, seed: int, timeout: float, dataset: str | None,
         samples: str | None, fresh: bool, data_dir: Path | None) -> int:
    """Take a circuit through outside tools to an FPGA or to standard cells."""
    from ..workflow.flow import flow_circuit

    entry = flow_circuit(circuit, target=target, device=device, clock=clock, objective=objective, pipeline=pipeline,
                         seed=seed, timeout=timeout, dataset=dataset, samples=samples, fresh=fresh,
                         data_dir=data_dir, progress=output.say)
    output.answer(entry, "\n".join(lines(entry)))
    if entry["verified"].startswith("refuted"):
        return 1
    return 0 if entry["status"] in ("routed", "mapped") else 2


def lines(entry: dict[str, Any]) -> list[str]:
    """Word the result of a flow."""
    place = " ".join(filter(None, (entry.get("device"), entry.get("package"), entry.get("library"))))
    result = [f"{entry['target']}{f' {place}' if place else ''}: {entry['status']}, {entry['seconds']:.0f} s"]
    result += _line("why", [entry["why"]] if entry.get("why") else [])
    capacity = entry.get("capacity") or {}
    cells = [f"{kind} {n:,}" + (f" of {capacity[kind]:,} ({n / capacity[kind]:.0%})" if capacity.get(kind) else "")
             for kind, n in (entry.get("cells") or {}).items() if n]
    result += _line("cells", cells)
    result += _line("tables", [f"{stage} {n:,}" for stage, n in (entry.get("stages") or {}).items()])
    result += _line("clock", _clock(entry))
    result += _line("area", [f"{entry[key]:,.1f} {unit}" for key, unit in (("ge", "GE"), ("area_um2", "um2"))
                             if entry.get(key) is not None])
    for key, unit in (("delay_ps", "ps"), ("energy_pj", "pJ")):
        result += _line(key.partition("_")[0], [f"{name} {value:,.1f} {unit}" for name, value
                                                in (entry.get(key) or {}).items() if value is not None])
    result += _line("critical path", _path(entry.get("critical_path") or []))
    result += _line("netlist", [str(entry["verified"])])
    result += _line("tools", [str(version) for version in entry["tools"].values()])
    return result


def _line(title: str, parts: list[str]) -> list[str]:
    return [f"{title:<14} {'; '.join(parts)}"] if parts else []


def _clock(entry: dict[str, Any]) -> list[str]:
    clock, latency = entry.get("clock_mhz") or {}, entry.get("latency") or {}
    parts = []
    if clock.get("reached") is not None:
        parts.append(f"{clock['reached']:.1f} MHz" + (f" ({clock['asked']:.0f} asked)" if clock.get("asked") else ""))
    if latency.get("cycles") is not None:
        ns = "" if latency.get("ns") is None else f" = {latency['ns']:,.1f} ns"
        parts.append(f"latency {latency['cycles']} clocks{ns}")
    if entry.get("throughput_per_s") is not None:
        parts.append(f"{entry['throughput_per_s']:,.0f} samples a second")
    return parts


def _path(arcs: list[dict[str, Any]]) -> list[str]:
    logic, routing = (sum(arc.get(key) or 0.0 for arc in arcs) for key in ("logic_ns", "routing_ns"))
    if not logic + routing:
        return []
    if all(arc.get("routing_ns") is None for arc in arcs):
        return [f"{logic:.2f} ns without wires, {len(arcs)} cells"]
    stages = list(dict.fromkeys(arc["stage"] for arc in arcs if arc.get("stage")))
    return [f"{logic + routing:.2f} ns, {routing / (logic + routing):.0%} routing, through {', '.join(stages)}"]
