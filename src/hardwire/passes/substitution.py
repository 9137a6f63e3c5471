"""Substitution on samples: inexact simplification, where the decisions on training samples are what is kept.

A node is replaced by an earlier net, its inverse or a constant, and what it alone needed goes. The effect on every
training sample is computed exactly: a replacement flips the node on some samples, and which right decisions a flip
loses and wins follows from the node's cone and the class counts. The circuit is another function afterwards; the passes
of ``PASSES`` keep the function and this is none of them.

References
----------
Venkataramani, Roy, Raghunathan, "Substitute-and-simplify: a unified design paradigm for approximate and quality
configurable circuits", DATE 2013.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuit import Circuit, CircuitBuilder
from ..circuit.arithmetic import argmax, popcount
from ..circuit.circuit import FALSE, FIRST
from ..circuit.engine.packed import PackedEngine
from ..core.bits import codes_to_bits, pack
from ..core.errors import InputError
from ..core.gates import TABLE
from ..core.truth_tables import evaluate
from ..cost import total_gates
from .dead_nodes import remove_dead_nodes
from .netlist import from_circuit, two_input_netlist
from .structural_hashing import hash_structurally

#: One after the other while a budget lasts: by how much a right class must go on leading, where it does, and how many
#: right decisions of a hundred thousand a gate may cost.
LEVELS = (*((lead, 0.0) for lead in (8, 4, 2, 1, 0)), *((0, float(1 << i)) for i in range(11)))
#: The level at which no decision changes.
EXACT = ((0, 0.0),)
#: Rounds at one rate at most; one that frees less than a hundredth of the gates is the last.
ROUNDS = 6
#: Parts that the nodes are visited in, each kept or not.
PARTS = 4
#: References of what is there whether it is read or not.
ALWAYS = 1 << 24


@dataclass(frozen=True)
class SubstitutionReport:
    """What inexact simplification did.

    Attributes
    ----------
    gates_before, gates_after
        Two-input gates of the whole circuit.
    replaced
        Nodes that were replaced.
    budget
        Share of the validation samples that might be lost.
    changed
        Training samples of another class than before.
    samples
        Training samples.
    accuracy_before, accuracy_after
        Share of right decisions on the training samples.
    validation_before, validation_after
        The same on the validation samples; None without any.
    """

    gates_before: int
    gates_after: int
    replaced: int
    budget: float
    changed: int
    samples: int
    accuracy_before: float
    accuracy_after: float
    validation_before: float | None
    validation_after: float | None


def simplify_on(
    circuit: Circuit, x: ArrayLike, y: ArrayLike, *, budget: float = 0.0,
    validation: tuple[ArrayLike, ArrayLike] | None = None, progress: Callable[[str], None] | None = None,
) -> tuple[Circuit, SubstitutionReport]:
    """Replace nodes of encoder and network where the training samples allow it.

    Parameters
    ----------
    circuit
        Decides by population counts and an arg-max over them, as ``lower`` builds it.
    x, y
        Training samples, codes or physical values (samples, words), and their classes (samples,).
    budget
        With 0 no training sample changes its class. Else the share of the validation samples, above 0 and below 1,
        that the accuracy may fall by: replacements may lose more and more training decisions for each gate until it
        has, and the smallest circuit inside the budget is returned.
    validation
        Samples and classes that the budget is measured on; needed where it is above 0.
    progress
        Called with a line after each round.

    Returns
    -------
    Circuit
        Another function than ``circuit``. Words, labels and macros are as before.
    SubstitutionReport
        What it cost, measured on the circuit that is returned.

    Raises
    ------
    InputError
        Where the circuit decides in another way, or samples and classes do not fit.
    """
    codes, classes = _samples(circuit, x, y)
    if not 0 <= budget < 1:
        raise InputError(f"budget is {budget}; give the share of validation samples that may be lost, 0 up to 1")
    if budget and validation is None:
        raise InputError("a budget above 0 is measured on validation samples; give some")
    held = None if validation is None else _samples(circuit, *validation)
    before = PackedEngine(circuit)(codes)[:, 0].astype(np.int64)
    floor = 0.0 if held is None else _accuracy(circuit, *held) - budget - 1e-12
    target = classes if budget else before
    best, replaced = circuit, 0
    for lead, rate in LEVELS if budget else EXACT:
        best, count, refused = _rounds(best, codes, _Level(target, lead, rate * len(codes) / 1e5),
                                       lambda c: not budget or held is None or _accuracy(c, *held) >= floor, progress)
        replaced += count
        if refused and not count and rate:
            break
    after = PackedEngine(best)(codes)[:, 0].astype(np.int64)
    return best, SubstitutionReport(
        total_gates(circuit), total_gates(best), replaced, budget, int((before != after).sum()), len(codes),
        float((before == classes).mean()), float((after == classes).mean()),
        None if held is None else _accuracy(circuit, *held), None if held is None else _accuracy(best, *held))


@dataclass(frozen=True)
class _Level:
    """Which decisions are right (samples,), by how much they go on leading, and how many of them a gate may cost."""

    target: NDArray[np.int64]
    lead: int
    rate: float


def _rounds(circuit: Circuit, codes: NDArray[np.unsignedinteger], level: _Level, allowed: Callable[[Circuit], bool],
            progress: Callable[[str], None] | None) -> tuple[Circuit, int, int]:
    """Visit all nodes again and again while that frees a hundredth of the gates; nodes replaced and parts refused.

    The nodes are visited in ``PARTS`` parts; what one of them gives is kept where it is smaller and ``allowed``.
    """
    replaced, refused, gates = 0, 0, total_gates(circuit)
    for _ in range(ROUNDS):
        count = 0
        for part in range(PARTS):
            trial, n = substitute_once(circuit, codes, level.target, level.lead, level.rate, part=part, parts=PARTS)
            if n and total_gates(trial) < total_gates(circuit):
                if allowed(trial):
                    circuit, count = trial, count + n
                else:
                    refused += 1
        now = total_gates(circuit)
        replaced += count
        if progress is not None and count:
            progress(f"substitution: {gates} -> {now} gates, {count} nodes replaced, lead {level.lead}, "
                     f"{level.rate:g} decisions a gate")
        done, gates = gates - now < gates / 100, now
        if done:
            break
    return circuit, replaced, refused


def substitute_once(circuit: Circuit, codes: NDArray[np.unsignedinteger], target: NDArray[np.int64], lead: int,
                    rate: float, *, part: int = 0, parts: int = 1) -> tuple[Circuit, int]:
    """Visit every node, or one of equal ``parts`` of them, once, outputs first; the circuit and the nodes replaced.

    ``target`` (samples,) are the decisions that are right, ``rate`` those that a gate may cost. A right class that
    leads by ``lead`` goes on doing so, one that leads by less keeps its lead.
    """
    from .kernels.substitution import State, substitute  # Numba stays out of whoever does not simplify

    network = _Network(circuit, codes)
    counts = network.counts(target.max())
    state = State(*network.arrays(), counts, target, _leads(counts, target, lead))
    if not np.array_equal(state.counts.argmax(axis=1), PackedEngine(circuit)(codes)[:, 0]):
        raise InputError(f"circuit {circuit.name!r} does not decide by the largest of its population counts; "
                         f"simplify on samples only what `lower` built for classes")
    replacement = np.full(len(state.table), -1, dtype=np.int64)
    order = np.arange(len(state.table) - 1, state.first - 1, -1)
    count = substitute(state, np.array_split(order, parts)[part], rate, replacement)
    return remove_dead_nodes(network.rebuilt(replacement.tolist())), int(count)


def _leads(counts: NDArray[np.int32], target: NDArray[np.int64], most: int) -> NDArray[np.int32]:
    """What each sample's right class leads by, 0 to ``most``."""
    others = counts.copy()
    rows = np.arange(len(target))
    others[rows, target] = -1
    return np.asarray(np.clip(counts[rows, target] - others.max(axis=1), 0, most), dtype=np.int32)


class _Network:
    """Nodes of the network stage over leaves: constant false, input bits, and the encoder's nodes.

    Each encoder net that the network reads is a node of its own, a wire, so that its readers may be given another net
    while the comparator, which a macro states, stays what it is until nothing reads it.
    """

    def __init__(self, circuit: Circuit, codes: NDArray[np.unsignedinteger]) -> None:
        self.circuit = circuit
        self.groups, self.scores = _groups(circuit)
        netlist, literal = from_circuit(circuit, share=True)
        compared = [m.outputs[0] for m in circuit.macros if m.kind == "ge"]
        self.kept = sorted({net for nets in self.groups for net in nets}.union(compared))
        self.netlist, roots = two_input_netlist(netlist, [literal[n] for n in self.kept])
        self.root = dict(zip(self.kept, roots, strict=True))
        stages = self.netlist.stage
        first = self.netlist.first
        self.below = [first + i for i, stage in enumerate(stages) if stage == 0]
        self.inside = [first + i for i, stage in enumerate(stages) if stage]
        own = set(self.inside)
        if any(f in own for n in self.below for f in self.netlist.fanin[n - first]):
            raise InputError(f"an encoder's node of circuit {circuit.name!r} reads the network; optimise it anew")
        self._place()
        self._simulate(codes)

    def _place(self) -> None:
        """Local numbers: leaves, a wire for each encoder net that is read, nodes."""
        first = self.netlist.first
        self.leaf = {net: i for i, net in enumerate([0, *range(FIRST, first), *self.below])}
        encoder = set(self.below)
        read = sorted({f for n in self.inside for f in self.netlist.fanin[n - first]} & encoder)
        self.first = len(self.leaf)
        self.wire = {net: self.first + i for i, net in enumerate(read)}
        self.node = {net: self.first + len(read) + i for i, net in enumerate(self.inside)}
        self.size = self.first + len(read) + len(self.inside)

    def _local(self, net: int) -> int:
        """The local number of a net as nodes of the network read it."""
        return self.node.get(net, self.wire.get(net, self.leaf.get(net, 0)))

    def _simulate(self, codes: NDArray[np.unsignedinteger]) -> None:
        planes = pack(codes_to_bits(codes, self.circuit.input_widths)).words
        first = self.netlist.first
        self.values = np.zeros((self.size, planes.shape[1]), dtype=np.uint64)
        self.values[1 : 1 + len(planes)] = planes
        for net in self.below:
            table, fanin = self.netlist.table[net - first], self.netlist.fanin[net - first]
            self.values[self.leaf[net]] = evaluate(table, [self.values[self.leaf[f]] for f in fanin])
        for net, at in self.wire.items():
            self.values[at] = self.values[self.leaf[net]]
        for net, at in self.node.items():
            table, fanin = self.netlist.table[net - first], self.netlist.fanin[net - first]
            self.values[at] = evaluate(table, [self.values[self._local(f)] for f in fanin])
        self.samples = len(codes)

    def _outputs(self) -> list[tuple[int, int, int]]:
        """(local number, class, sign) of every bit that is counted; encoder's bits are read as they are."""
        bits = []
        for c, nets in enumerate(self.groups):
            for net in nets:
                x = self.root[net]
                at = self.node.get(x >> 1, self.leaf.get(x >> 1, 0))
                bits.append((at, c, -1 if x & 1 else 1))
        return sorted(bits)

    def arrays(self) -> tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32],
                              NDArray[np.int32], NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32],
                              NDArray[np.int32]]:
        """The fields of ``kernels.substitution.State`` up to ``sign``."""
        first = self.netlist.first
        a, b = np.zeros(self.size, dtype=np.int32), np.zeros(self.size, dtype=np.int32)
        table, weight = np.zeros(self.size, dtype=np.uint8), np.zeros(self.size, dtype=np.int32)
        for net, at in self.wire.items():
            a[at] = b[at] = self.leaf[net]
            table[at], weight[at] = TABLE["A"], 1
        for net, at in self.node.items():
            x, y = self.netlist.fanin[net - first]
            a[at], b[at] = self._local(x), self._local(y)
            table[at], weight[at] = self.netlist.table[net - first], 1
        outputs = self._outputs()
        refs = np.bincount(np.concatenate([a[self.first :], b[self.first :], [at for at, _, _ in outputs]]).astype(int),
                           minlength=self.size).astype(np.int32)
        refs[: 1 + self.circuit.n_input_bits] += ALWAYS
        start = np.searchsorted([at for at, _, _ in outputs], np.arange(self.size + 1)).astype(np.int32)
        group, sign = (np.array([bit[k] for bit in outputs], dtype=np.int32) for k in (1, 2))
        return self.first, a, b, table, weight, refs, self.values.copy(), start, group, sign

    def counts(self, highest: int) -> NDArray[np.int32]:
        """True bits of each class (samples, classes)."""
        result = np.zeros((self.samples, max(len(self.groups), int(highest) + 1)), dtype=np.int32)
        for at, c, sign in self._outputs():
            plane = self.values[at] if sign > 0 else ~self.values[at]
            octets = plane.astype("<u8", copy=False).view(np.uint8)
            result[:, c] += np.unpackbits(octets, bitorder="little", count=self.samples)
        return result

    def rebuilt(self, replacement: Sequence[int]) -> Circuit:
        """The circuit with replaced nodes read as ``2 local number + complement``, and its head built anew.

        Gates of the head that the network shares are none of the macros' any more once the network has changed.
        """
        b = CircuitBuilder(self.circuit.name, labels=self.circuit.labels)
        for word in self.circuit.inputs:
            b.input(word.name, word.width, offset=word.offset, step=word.step)
        old, first = self.netlist, self.netlist.first
        literal, local = {net: 2 * net for net in (0, *range(FIRST, first))}, [0] * self.size
        own = {at: net for net, at in (self.node | self.wire).items()}
        with b.stage("encoder"):
            for net in self.below:
                fanin = [_net(b, literal[f]) for f in old.fanin[net - first]]
                literal[net] = 2 * b.node(old.table[net - first], *fanin)
        for net, at in self.leaf.items():
            local[at] = literal[net]
        with b.stage("network"):
            for at in range(self.first, self.size):
                net = own[at]
                if replacement[at] >= 0:
                    local[at] = local[replacement[at] >> 1] ^ (replacement[at] & 1)
                elif net in self.wire:
                    local[at] = literal[net]
                else:
                    fanin = [_net(b, local[self._local(f)]) for f in old.fanin[net - first]]
                    local[at] = 2 * b.node(old.table[net - first], *fanin)
            literal |= {net: local[at] for net, at in self.node.items()}
            nets = {n: _net(b, literal[x >> 1] ^ (x & 1)) for n, x in self.root.items()}
        for macro in self.circuit.macros:
            if macro.kind == "ge":
                b.macro("ge", macro.inputs, [nets[macro.outputs[0]]], macro.value)
        with b.stage("head"):
            counts = [_count(b, [nets[n] for n in group]) for group in self.groups]
            index, *others = self.circuit.outputs
            b.output(index.name, argmax(b, counts), offset=index.offset, step=index.step)
        for word, c in zip(others, self.scores, strict=True):
            b.output(word.name, counts[c], offset=word.offset, step=word.step)
        return hash_structurally(b.build())


def _count(b: CircuitBuilder, nets: list[int]) -> list[int]:
    """How many nets are true, in the bits that all of them may need; those that are never true take no gates."""
    total = popcount(b, [net for net in nets if net != FALSE] or [FALSE])
    return total + [FALSE] * (len(nets).bit_length() - len(total))


def _net(b: CircuitBuilder, literal: int) -> int:
    """The net of a literal; an inverter where it is a complement of another than a constant."""
    if literal <= 1:
        return literal
    return b.not_(literal >> 1) if literal & 1 else literal >> 1


def _groups(circuit: Circuit) -> tuple[list[tuple[int, ...]], list[int]]:
    """The nets that each class counts, and the class whose count each further output word is.

    Raises
    ------
    InputError
        Where the first output word is no arg-max of population counts, or another one is no such count.
    """
    counted = {_word(m.outputs): m.inputs for m in circuit.macros if m.kind == "popcount"}
    (index, *others) = [tuple(nets) for _, nets in circuit.output_words()]
    for macro in circuit.macros:
        if macro.kind == "argmax" and macro.outputs == index:
            width = len(macro.inputs) // macro.value
            words = [_word(macro.inputs[i : i + width]) for i in range(0, len(macro.inputs), width)]
            if all(word in counted for word in words) and all(_word(word) in words for word in others):
                return [counted[word] for word in words], [words.index(_word(word)) for word in others]
    raise InputError(f"circuit {circuit.name!r} does not decide by an arg-max of population counts; simplify on "
                     f"samples only what `lower` built for classes")


def _word(nets: Sequence[int]) -> tuple[int, ...]:
    """A word without the constant zeros at its high end."""
    size = len(nets)
    while size > 1 and nets[size - 1] == FALSE:
        size -= 1
    return tuple(nets[:size])


def _samples(circuit: Circuit, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.unsignedinteger], NDArray[np.int64]]:
    codes, classes = circuit.codes(x), np.asarray(y)
    if classes.shape != (len(codes),) or classes.dtype.kind not in "iu" or not len(codes):
        raise InputError(f"classes have shape {classes.shape} and dtype {classes.dtype} for {len(codes)} samples; "
                         f"give one integer for each")
    return codes, classes.astype(np.int64)


def _accuracy(circuit: Circuit, codes: NDArray[np.unsignedinteger], classes: NDArray[np.int64]) -> float:
    return float((PackedEngine(circuit)(codes)[:, 0] == classes).mean())
