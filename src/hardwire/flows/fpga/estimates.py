"""What a design needs and reaches, before any tool runs: cells against capacity, and a frequency to ask for."""

from collections import Counter
from dataclasses import replace

import numpy as np

from ...circuit import TRUE, Circuit
from ..netlist import needed
from .covers import Cover
from .devices import DEVICES, Device, Place, Target
from .netlist import read_inputs
from .pipeline import DELAYS, Delays, Pipelined

#: Share of a device that may be filled, and that of the one which is proposed in its place.
FULL, ROOMY = 0.98, 0.85
#: What routing takes over the estimate of the delays.
SLOWER = 1.6


def combinational(cover: Circuit) -> Pipelined:
    """A cover without registers."""
    live = needed(cover)
    stage = np.array([0 if net < cover.first_node or net in live else -1 for net in range(cover.n_nets)], np.int32)
    return Pipelined(cover, stage, np.zeros(cover.n_nets, np.int32), cover.fanin.astype(np.int32),
                     np.zeros(0, np.int32), cover.output_nets.astype(np.int32), 0)


def demand(target: Target, cover: Cover, pipelined: Pipelined) -> dict[str, int]:
    """Cells of each kind that the core and its wrapper take.

    A flip-flop of an iCE40 shares the cell of the table before it where nothing else reads that table. One of a Gowin
    device needs a table before it, which one flip-flop may have for itself whoever else reads it.
    """
    x, y = len(read_inputs(cover.circuit)), len(pipelined.outputs)
    tables, flip_flops = cover.cells + y, pipelined.flip_flops + x + y
    sources, first, n = pipelined.source.tolist(), pipelined.cover.first_node, pipelined.cover.n_nets
    if target == "ice40":
        return {"ICESTORM_LC": tables + x + pipelined.flip_flops - _packed(pipelined)}
    if target == "ecp5":
        return {"TRELLIS_COMB": tables, "TRELLIS_FF": flip_flops}
    if target == "gowin":
        behind_tables = len({signal for signal in sources if first <= signal < n})
        return {"LUT4": tables + x + len(sources) - behind_tables, "DFF": flip_flops}
    return {"LUT": tables, "FF": flip_flops}


def _packed(pipelined: Pipelined) -> int:
    """Flip-flops behind a table that nothing else reads."""
    cover, first, n = pipelined.cover, pipelined.cover.first_node, pipelined.cover.n_nets
    readers: Counter[int] = Counter(pipelined.source.tolist())
    readers.update(pipelined.outputs.tolist())
    arity = cover.arity.tolist()
    for net in needed(cover):
        if net >= first:
            readers.update(set(pipelined.fan_in[net - first, : arity[net - first]].tolist()))
    return sum(first <= signal < n and readers[signal] == 1 for signal in pipelined.source.tolist())


def too_large(place: Place, cells: dict[str, int], elsewhere: dict[Target, dict[str, int]]) -> str:
    """Why the device is too small, and which is not; empty where it is not.

    Parameters
    ----------
    place
        The device.
    cells
        What is needed.
    elsewhere
        What is needed on devices of other families.
    """
    device = place.device
    over = max(device.capacity, key=lambda kind: cells.get(kind, 0) / device.capacity[kind])
    if cells.get(over, 0) <= FULL * device.capacity[over]:
        return ""
    other = "no device that this flow knows has that many; make the circuit smaller"
    for target, demanded in {device.target: cells, **elsewhere}.items():
        roomy = [d for d in DEVICES if d.target == target and _fits(demanded, d)]
        if roomy:
            best = min(roomy, key=lambda d: sum(d.capacity.values())).name
            other = f"take --device {best}" if target == device.target else f"take --target {target} --device {best}"
            break
    return f"about {cells[over]:,} {over} are needed where {device.name} has {device.capacity[over]:,}; {other}"


def _fits(cells: dict[str, int], device: Device) -> bool:
    return all(cells.get(kind, 0) <= ROOMY * most for kind, most in device.capacity.items())


def slower(delays: Delays, place: Place) -> Delays:
    """Delays of a device: tables and registers of its speed, and nets as long as a filled device has them."""
    cells, nets = place.device.slow, place.device.slow * SLOWER
    a, b, c, d, e, f = (t * cells for t in delays.tables)
    return replace(delays, tables=(a, b, c, d, e, f), clock_to_output=delays.clock_to_output * cells,
                   setup=delays.setup * cells, routing=delays.routing * nets, fan_out=delays.fan_out * nets)


def first_clock(place: Place, pipelined: Pipelined) -> float:
    """Megahertz that are in reach: the longest way between registers by the delays of a filled device."""
    delays = slower(DELAYS[place.device.target], place)
    cover, first = pipelined.cover, pipelined.cover.first_node
    readers: Counter[int] = Counter()
    arity, rows = cover.arity.tolist(), pipelined.fan_in.tolist()
    live = sorted(net for net in needed(cover) if net >= first)
    for net in live:
        readers.update(rows[net - first][: arity[net - first]])
    arrival: dict[int, float] = {}
    worst = 0.0
    for net in live:
        used = [f for f in rows[net - first][: arity[net - first]] if f > TRUE]
        before = max((arrival.get(f, delays.clock_to_output) + delays.net(readers[f]) for f in used), default=0.0)
        arrival[net] = before + delays.tables[arity[net - first] - 1]
        worst = max(worst, arrival[net])
    return round(min(400.0, 1000 / (worst + delays.routing + delays.setup)), 1)
