"""Registers inside a mapped cover: stages by a number of levels or by a period, with the fewest flip-flops.

Every path from an input to an output passes as many registers, so that the pipeline takes new inputs every clock and
needs no reset. A net of a stage that is read ``d`` stages later has ``d`` registers behind it, which its readers share;
a register with many readers is copied, since on an FPGA the delay of a net grows with the number of its readers.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...circuit import TRUE, Circuit
from ...core.errors import InputError, ToolError
from ..netlist import needed
from .retiming import Difference, cheapest, least

#: Tables above which stages are taken as soon as possible: the search for the fewest registers takes too long.
SEARCHED = 20_000


@dataclass(frozen=True)
class Delays:
    """What a signal loses on its way, in nanoseconds.

    Attributes
    ----------
    tables
        Through a table of 1, 2, ... 6 inputs.
    clock_to_output, setup
        Out of a flip-flop after its clock, and before the clock into it.
    routing
        Along a net with one reader.
    fan_out
        More for each doubling of the readers. An estimate: placement decides.
    """

    tables: tuple[float, float, float, float, float, float]
    clock_to_output: float = 0.0
    setup: float = 0.0
    routing: float = 0.0
    fan_out: float = 0.0

    def net(self, readers: int) -> float:
        """Of a net with so many readers."""
        return self.routing + self.fan_out * float(np.log2(max(1, readers)))


#: A table is one level and nothing else counts.
LEVELS = Delays((1.0,) * 6)
#: Of devices: cells as nextpnr knows them, routing as it reported it of our circuits.
DELAYS: dict[str, Delays] = {
    "ecp5": Delays((0.24, 0.24, 0.24, 0.24, 0.45, 0.66), 0.52, 0.0, 0.9, 0.25),
    "ice40": Delays((0.4, 0.4, 0.4, 0.4, 1.4, 2.4), 0.54, 0.4, 0.9, 0.25),
    "gowin": Delays((0.5, 0.5, 0.5, 0.5, 0.8, 1.0), 0.45, 0.3, 0.9, 0.25),
    "xilinx": Delays((0.12,) * 6, 0.4, 0.1, 0.6, 0.2),
}


@dataclass(frozen=True, eq=False)
class Pipelined:
    """A cover with registers.

    A *signal* is a net of the cover, or a flip-flop: number ``cover.n_nets + i`` is the output of flip-flop ``i``.

    Attributes
    ----------
    cover
        The circuit whose tables stand between the registers.
    stage
        Of each net: registers between the inputs and it, 0 for inputs and constants; -1 where no output needs it.
    registers
        Of each net: how many clocks it is kept for its last reader.
    fan_in
        The signals that each table reads, shape of ``cover.fanin``.
    source
        The signal that each flip-flop takes over at the clock.
    outputs
        The signals of the output bits.
    latency
        Clocks from the inputs to the outputs.
    """

    cover: Circuit
    stage: NDArray[np.int32]
    registers: NDArray[np.int32]
    fan_in: NDArray[np.int32]
    source: NDArray[np.int32]
    outputs: NDArray[np.int32]
    latency: int

    @property
    def flip_flops(self) -> int:
        """How many there are, copies among them."""
        return len(self.source)


def pipeline(
    cover: Circuit, *, levels: int | None = None, period: float | None = None, delays: Delays = LEVELS,
    latency: int | None = None, input_registers: int = 0, fan_out: int | None = None,
) -> Pipelined:
    """Place registers in a cover.

    Parameters
    ----------
    cover
        Combinational; its tables stay as they are. Those that no output needs get no stage.
    levels
        A register after every so many tables at most; or
    period
        nanoseconds between two clocks, by ``delays``.
    delays
        Of the target; ``DELAYS`` has some.
    latency
        Clocks; the least that is possible unless given. More of them spare flip-flops where nets are few.
    input_registers
        Registers before the first table, besides those that the signals come from; with ``fan_out`` they are copied.
    fan_out
        Readers that a register may have; above it, it is copied and its readers are divided.

    Raises
    ------
    InputError
        Where an option makes no sense, or the period is below what one table takes.

    Notes
    -----
    Outputs are registered. Two tables are in different stages where the longest path between them is too long, which
    gives differences of stages; `retiming.cheapest` finds the fewest registers among all stages that satisfy them.
    """
    if (levels is None) == (period is None):
        raise InputError("a pipeline needs either a number of levels or a period; give one of them")
    if levels is not None and levels < 1:
        raise InputError(f"a pipeline of {levels} levels a stage was asked for; give 1 or more")
    if input_registers < 0 or (fan_out is not None and fan_out < 2):
        raise InputError("a pipeline has 0 or more input registers, and a register 2 or more readers")
    graph = _Graph(cover)
    longest, unit = (float(levels), LEVELS) if levels is not None else (float(period or 0), delays)
    differences = graph.differences(longest, unit, fan_out)
    stage = least(graph.size, differences, graph.start(input_registers))
    shortest = max([1, *(stage[v] for v in graph.outputs)])
    if latency is not None and latency < shortest:
        raise InputError(f"a latency of {latency} clocks was asked for, but {shortest} are needed; give that or more")
    total = latency or shortest
    for v in graph.outputs:
        stage[v] = total
    if len(graph.nodes) <= SEARCHED:
        stage = cheapest(stage, graph.prices(), graph.limits(total), differences)
    return _with_registers(cover, graph, stage, total, fan_out)


class _Graph:
    """The live tables of a cover as variables of stages.

    Variable ``net`` is the stage of a net, ``n_nets + net`` the last stage that reads it (registers are behind it).
    """

    def __init__(self, cover: Circuit) -> None:
        self.cover, self.first, self.n = cover, cover.first_node, cover.n_nets
        self.size = 2 * self.n
        live = needed(cover)
        self.nodes = sorted(net for net in live if net >= self.first)
        self.operands: dict[int, list[int]] = {}
        self.readers: dict[int, list[int]] = {}
        for net in self.nodes:
            row = net - self.first
            used = [f for f in cover.fanin[row, : cover.arity[row]].tolist() if f > TRUE]
            self.operands[net] = used
            for f in used:
                self.readers.setdefault(f, []).append(net)
        ends = [net for net in cover.output_nets.tolist() if net > TRUE]
        self.read = sorted({*self.readers, *ends})
        self.outputs = sorted({self.n + net for net in ends})

    def start(self, input_registers: int) -> list[int]:
        """The least stage of each variable: tables come after the input registers, outputs are registered."""
        x = [0] * self.size
        for net in self.nodes:
            x[net] = input_registers
        for v in self.outputs:
            net = v - self.n
            x[v] = 1 + (x[net] if net >= self.first else input_registers)
        return x

    def differences(self, longest: float, delays: Delays, fan_out: int | None) -> list[Difference]:
        """What stages must satisfy, so that no path between registers takes more than ``longest``."""
        most = fan_out or 1 << 30
        arity = self.cover.arity.tolist()
        own = {net: delays.tables[arity[net - self.first] - 1] for net in self.nodes}
        way = {net: delays.net(len(self.readers.get(net, ()))) for net in self.read}
        stored = {net: delays.net(min(most, len(self.readers.get(net, ())))) for net in self.read}
        result: list[Difference] = []
        for net in self.nodes:
            result += [(f, net, 0) for f in self.operands[net] if f >= self.first]
            result += [(net, self.n + f, 0) for f in set(self.operands[net])]
            begin = delays.clock_to_output + max([stored[f] for f in self.operands[net]], default=0.0) + own[net]
            if begin + delays.setup > longest + 1e-9:
                raise InputError(f"a period of {longest:g} ns is below the {begin + delays.setup:.2f} ns one table "
                                 f"takes with its nets; give a longer one")
            result += [(net, v, 1) for v in self._beyond(net, begin, longest - delays.setup + 1e-9, own, way)]
        # an output that is read goes through a register behind the last table
        result += [(v - self.n, v, 1) for v in self.outputs]
        return result

    def _beyond(self, net: int, begin: float, longest: float, own: dict[int, float],
                way: dict[int, float]) -> list[int]:
        """The first tables on each way from ``net`` that cannot be in its stage."""
        arrival, found, waiting = {net: begin}, [], [net]
        while waiting:  # the lowest net first: what it reads of the cone has its arrival by then
            u = heapq.heappop(waiting)
            if arrival[u] > longest:
                found.append(u)
                continue
            for v in self.readers.get(u, ()):
                if v not in arrival:
                    heapq.heappush(waiting, v)
                arrival[v] = max(arrival.get(v, 0.0), arrival[u] + way[u] + own[v])
        return found

    def prices(self) -> list[int]:
        """A register costs one: the last stage that reads a net less the net's own."""
        price = [0] * self.size
        for net in self.read:
            price[self.n + net] += 1
            if net >= self.first:
                price[net] -= 1
        return price

    def limits(self, latency: int) -> list[int]:
        """The highest stage of each variable."""
        most = [latency - 1] * self.size
        for net in range(self.first):
            most[net] = 0
        for v in self.outputs:
            most[v] = latency
        return most


def _with_registers(cover: Circuit, graph: _Graph, x: Sequence[int], latency: int, fan_out: int | None) -> Pipelined:
    """Flip-flops behind each net, shared by its readers, copied above ``fan_out`` readers."""
    n, first = graph.n, graph.first
    stage = np.full(n, -1, np.int32)
    stage[:first] = 0
    for net in graph.nodes:
        stage[net] = x[net]
    registers = np.zeros(n, np.int32)
    fan_in, outputs = cover.fanin.astype(np.int32, copy=True), cover.output_nets.astype(np.int32, copy=True)
    source: list[int] = []
    order = _order(graph)
    # a load is its place in the order and where it stands: (table's row, operand), (-1, output bit) or (-2, flip-flop)
    loads: dict[int, list[list[tuple[float, int, int]]]] = {net: [[] for _ in range(latency + 1)] for net in graph.read}
    for net in graph.nodes:
        row = net - first
        for i, f in enumerate(cover.fanin[row, : cover.arity[row]].tolist()):
            if f > TRUE:
                loads[f][int(stage[net] - stage[f])].append((order[net], row, i))
    for i, f in enumerate(cover.output_nets.tolist()):
        if f > TRUE:
            loads[f][latency - int(stage[f])].append((float(i), -1, i))
    for net in graph.read:
        last = max(d for d, at in enumerate(loads[net]) if at)
        registers[net] = last
        for d in range(last, 0, -1):
            for group in _groups(sorted(loads[net][d]), fan_out):
                place = n + len(source)
                source.append(net)  # the flip-flop before it, once that is there
                for _, row, i in group:
                    _connect(row, i, place, fan_in, outputs, source)
                loads[net][d - 1].append((sum(g[0] for g in group) / len(group), -2, place - n))
    return Pipelined(cover, stage, registers, fan_in, np.array(source, np.int32), outputs, latency)


def _connect(row: int, i: int, signal: int, fan_in: NDArray[np.int32], outputs: NDArray[np.int32],
             source: list[int]) -> None:
    if row >= 0:
        fan_in[row, i] = signal
    elif row == -1:
        outputs[i] = signal
    else:
        source[i] = signal


def _groups(loads: Sequence[tuple[float, int, int]], most: int | None) -> list[Sequence[tuple[float, int, int]]]:
    """Loads in as few groups as can be, of nearly equal size."""
    if not loads:
        return []
    count = 1 if most is None else -(-len(loads) // most)
    ends = [len(loads) * i // count for i in range(count + 1)]
    return [loads[a:b] for a, b in pairwise(ends)]


def _order(graph: _Graph) -> dict[int, float]:
    """A place on a line for each table: depth first from the outputs, so that what is read together lies together."""
    place: dict[int, float] = {}
    stack = [v - graph.n for v in reversed(graph.outputs)]
    seen: set[int] = set()
    while stack:
        net = stack.pop()
        if net < 0:
            place[~net] = float(len(place))
        elif net not in seen and net >= graph.first:
            seen.add(net)
            stack.append(~net)
            stack += reversed(graph.operands[net])
    return place


def unrolled(pipelined: Pipelined) -> Circuit:
    """The circuit that a pipeline computes, its flip-flops being wires.

    Raises
    ------
    ToolError
        Where a table or an output mixes inputs of different clocks.
    """
    cover, first = pipelined.cover, pipelined.cover.first_node
    time, root = _times(pipelined)
    fanin = cover.fanin.copy()
    for row, k in enumerate(cover.arity.tolist()):
        if time[first + row] < 0:
            continue
        for i, signal in enumerate(pipelined.fan_in[row, :k].tolist()):
            if root[signal] > TRUE and time[signal] != time[first + row]:
                raise ToolError(f"table {first + row} of circuit {cover.name!r} reads net {root[signal]} of clock "
                                f"{time[signal]} in stage {time[first + row]}; report this")
            fanin[row, i] = root[signal]
    late = [s for s in pipelined.outputs.tolist() if root[s] > TRUE and time[s] != pipelined.latency]
    if late:
        raise ToolError(f"an output of circuit {cover.name!r} comes after {time[late[0]]} clocks and not after "
                        f"{pipelined.latency}; report this")
    outputs = np.array([root[s] for s in pipelined.outputs.tolist()], dtype=np.int32)
    return cover.with_(fanin=fanin, output_nets=outputs)


def _times(pipelined: Pipelined) -> tuple[list[int], list[int]]:
    """Of each signal: clocks after the inputs, and the net that its flip-flops keep."""
    n, source = pipelined.cover.n_nets, pipelined.source.tolist()
    time, root = pipelined.stage.tolist(), list(range(n))
    for start, signal in enumerate(source):
        count = 1
        while signal >= n:
            signal, count = source[signal - n], count + 1
            if count > len(source):
                raise ToolError(f"flip-flop {start} of circuit {pipelined.cover.name!r} keeps no net; report this")
        time.append(time[signal] + count)
        root.append(signal)
    return time, root
