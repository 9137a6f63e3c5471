"""Switching activity: how often each net of a circuit toggles when one sample follows another at the inputs.

Zero delay counts a net that ends at another value once. Unit delay gives every node one step, and counts what toggles
on the way (glitches). Delays of a library, in steps of a stated time, swallow pulses shorter than the node's own delay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuit.circuit import FIRST, TRUE, Circuit
from ..core.bits import WORD, codes_to_bits, pack
from ..core.errors import InputError
from .kernels.toggles import count, count_changes, count_states, settle, timed_toggles

Delay = Literal["zero", "unit"] | NDArray[np.integer]
#: Samples whose planes are in memory at once.
BLOCK = 64 * WORD


@dataclass(frozen=True)
class Activity:
    """Toggles of a circuit's nets.

    Attributes
    ----------
    toggles
        Per transition from one sample to the next, shape ``(nets,)``.
    ones
        Share of samples for which each net is true, shape ``(nets,)``.
    transitions
        How many there were.
    model
        ``zero delay``, ``unit delay`` or ``library delay``.
    """

    toggles: NDArray[np.float64]
    ones: NDArray[np.float64]
    transitions: int
    model: str

    def mean(self, circuit: Circuit) -> float:
        """Toggles per node and transition."""
        return float(self.toggles[circuit.first_node :].mean()) if circuit.n_nodes else 0.0


def switching(circuit: Circuit, x: ArrayLike, *, delay: Delay = "zero",
              progress: Callable[[int, int], None] = lambda done, total: None) -> Activity:
    """Count the toggles of every net while samples follow each other at the inputs in their order.

    Parameters
    ----------
    circuit
        Any circuit, such as that of a mapped netlist.
    x
        Codes or physical values ``(samples, words)``, at least two samples.
    delay
        ``zero``, ``unit``, or steps for each node, shape ``(nodes,)``, at least 1 each.
    progress
        Called with transitions that are done and their number.

    Raises
    ------
    InputError
        Where there are fewer than two samples, or the delays do not fit.
    """
    codes = circuit.codes(x)
    total = len(codes) - 1
    if total < 1:
        raise InputError(f"{len(codes)} samples make no transition; give at least 2")
    steps = np.ones(circuit.n_nodes, np.int64) if isinstance(delay, str) else np.asarray(delay, np.int64)
    if steps.shape != (circuit.n_nodes,) or (steps < 1).any() or (steps > 1 << 16).any():
        raise InputError(f"delays must be 1 to 65,536 steps for each of {circuit.n_nodes} nodes")
    toggles, ones = np.zeros(circuit.n_nets, np.int64), np.zeros(circuit.n_nets, np.int64)
    start, reader = _readers(circuit)
    arrays = circuit.fanin, circuit.table, circuit.arity, circuit.first_node
    for begin in range(0, total, BLOCK):
        size = min(BLOCK, total - begin)
        before = _planes(circuit, codes[begin : begin + size])
        mask = _mask(size)
        settle(before, *arrays)
        count(before, mask, ones)
        after = _planes(circuit, codes[begin + 1 : begin + size + 1])
        if isinstance(delay, str) and delay == "zero":
            settle(after, *arrays)
            count_changes(before, after, mask, toggles)
        else:
            inputs = after[: circuit.first_node]
            inputs[:] = inputs & mask | before[: circuit.first_node] & ~mask
            timed_toggles(before, inputs, *arrays, steps, start, reader, toggles)
        progress(begin + size, total)
    last = _planes(circuit, codes[-1:])
    settle(last, *arrays)
    count(last, _mask(1), ones)
    model = f"{delay} delay" if isinstance(delay, str) else "library delay"
    return Activity(toggles / total, ones / len(codes), total, model)


def input_states(circuit: Circuit, x: ArrayLike, operands: NDArray[np.int32], sizes: NDArray[np.int64]
                 ) -> NDArray[np.float64]:
    """Share of samples for which groups of nets have each value, shape ``(groups, 64)``.

    Parameters
    ----------
    circuit, x
        The circuit and its samples.
    operands, sizes
        Up to six nets of each group, the first the least significant, shape ``(groups, 6)``, and how many they are.
    """
    codes = circuit.codes(x)
    states = np.zeros((len(sizes), 64), np.int64)
    for begin in range(0, len(codes), BLOCK):
        part = codes[begin : begin + BLOCK]
        planes = _planes(circuit, part)
        settle(planes, circuit.fanin, circuit.table, circuit.arity, circuit.first_node)
        count_states(planes, _mask(len(part)), operands, sizes, states)
    return states / max(1, len(codes))


def independent(circuit: Circuit, ones: float | NDArray[np.float64] = 0.5) -> Activity:
    """The activity that a tool without samples assumes: ``2 p (1 - p)`` toggles of each net.

    The share of true ``p`` goes from the inputs to the outputs as if all operands of a node were independent, and
    samples too. ``ones`` is that of the inputs, one number or one for each bit.
    """
    p = np.zeros(circuit.n_nets)
    p[TRUE] = 1.0
    p[FIRST : circuit.first_node] = ones
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist())
    for net, (fanin, table, k) in enumerate(rows, circuit.first_node):
        values = [float(table >> m & 1) for m in range(1 << k)]
        for f in fanin[:k]:
            values = [low + p[f] * (high - low) for low, high in zip(values[::2], values[1::2])]
        p[net] = values[0]
    return Activity(2 * p * (1 - p), p, 0, "independent samples, no delay")


def _planes(circuit: Circuit, codes: NDArray[np.unsignedinteger]) -> NDArray[np.uint64]:
    """Planes of all nets, constants and inputs filled in."""
    packed = pack(codes_to_bits(codes, circuit.input_widths)).words
    planes = np.zeros((circuit.n_nets, packed.shape[1]), np.uint64)
    planes[TRUE] = np.uint64(2**64 - 1)
    planes[FIRST : circuit.first_node] = packed
    return planes


def _mask(samples: int) -> NDArray[np.uint64]:
    mask: NDArray[np.uint64] = pack(np.ones((samples, 1), bool)).words[0]
    return mask


def _readers(circuit: Circuit) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The nodes that read each net, as rows of one array."""
    pins = np.arange(circuit.fanin.shape[1])[None, :] < circuit.arity[:, None]
    nodes, nets = np.nonzero(pins)[0], circuit.fanin[pins]
    order = np.argsort(nets, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(nets, minlength=circuit.n_nets))])
    return start.astype(np.int64), nodes[order].astype(np.int32)
