"""The arrays that the kernels of the search share, as named tuples that Numba passes by name.

Operand numbers are those of ``logic.graph``: the input bits first, then the nodes. Node numbers never change while a
search runs; ``order`` says in which order they can be evaluated.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.threads import aligned

#: Samples in a word; words in a vector.
BITS, WORDS = 64, 8
#: Words of a cone that are evaluated at a time.
CHUNK = 64
#: Bit planes of a rounded loss difference, the last one the sign.
PLANES = 4
#: Sets of samples for which sums are ranked: all of them, or those where an operand is true.
MASKS = 7
#: Candidates of one proposal that are evaluated exactly.
KEPT = 24
#: The same of a search over tables, and most cells of the operands that stay.
TABLES_KEPT, CELLS = 6, 32


class Net(NamedTuple):
    """A network and its values on all samples.

    Attributes
    ----------
    values : (nets, words) uint64
        Bit ``i`` of word ``w`` is sample ``64 w + i``.
    fanin : (nets, k) int32
        Operands; unused places hold 0.
    table : (nets,) uint64
        Truth tables, operand 0 the least significant address bit.
    arity : (nets,) uint8
        Operands of a node; 0 for an input bit.
    order : (nets,) int32
        The nodes in topological order; the first ``size[0]`` places are used.
    place : (nets,) int32
        Place of each node in ``order``, -1 of other nets.
    refs : (nets,) int32
        How many operands of live nodes and output slots read a net.
    area : (nets,) float32
        Price of each node's own gate.
    slot_first : (nets,) int32
        First output slot that reads a net, or -1.
    slot_next : (slots,) int32
        Next slot that reads the same net, or -1.
    slot_group : (slots,) int32
        Group (class) that the slot is counted in.
    level : (nets,) int32
        Nodes on the longest path to a net, the net itself among them.
    height : (nets,) int32
        Nodes on the longest path from a net to an output slot, the net itself not among them.
    inputs : (1,) int64
        Number of input bits.
    size : (2,) int64
        Nodes in ``order``; output slots.
    limit : (1,) int64
        Nodes that a path may have.
    """

    values: NDArray[np.uint64]
    fanin: NDArray[np.int32]
    table: NDArray[np.uint64]
    arity: NDArray[np.uint8]
    order: NDArray[np.int32]
    place: NDArray[np.int32]
    refs: NDArray[np.int32]
    area: NDArray[np.float32]
    slot_first: NDArray[np.int32]
    slot_next: NDArray[np.int32]
    slot_group: NDArray[np.int32]
    level: NDArray[np.int32]
    height: NDArray[np.int32]
    inputs: NDArray[np.int64]
    size: NDArray[np.int64]
    limit: NDArray[np.int64]


class Loss(NamedTuple):
    """What the loss of every sample follows from.

    Attributes
    ----------
    kind : (1,) int64
        0: cross-entropy of ``softmax(count / tau)``; 1: binary cross-entropy of ``(count - threshold) / tau`` of each
        group; 2: squared error of ``level + gain count`` of each group.
    counts : (groups, samples) int16
        True output bits of each group.
    p : (groups, samples) float32
        Of kind 0 and 1 the probability of each group, of kind 2 the derivative ``2 gain error``.
    q : (groups, samples) float32
        Target probability of each group; of kind 2 its target value.
    weight : (samples,) float32
        Weight of each sample's loss, 0 where words are padded; of kind 2 one half.
    scale : (3,) float32
        ``1 / tau``, ``exp(1 / tau) - 1``, ``exp(-1 / tau) - 1``.
    square : (groups,) float32
        Of kind 2, ``gain^2`` of each group.
    level, gain : (groups,) float32
        Of kind 1 ``level`` is each group's threshold; of kind 2 the two are its bias and scale.
    power : (counts,) float32
        Of kind 0, ``exp(-k / tau)``.
    """

    kind: NDArray[np.int64]
    counts: NDArray[np.int16]
    p: NDArray[np.float32]
    q: NDArray[np.float32]
    weight: NDArray[np.float32]
    scale: NDArray[np.float32]
    square: NDArray[np.float32]
    level: NDArray[np.float32]
    gain: NDArray[np.float32]
    power: NDArray[np.float32]


class Price(NamedTuple):
    """What hardware costs, in the unit of the target.

    Attributes
    ----------
    gate : (16,) float32
        Area of each two-input gate; 0 for constants, wires and inverters. Empty where ``table`` says it all.
    table : (7,) float32
        Area of a table, by the number of inputs that it depends on.
    input : (inputs,) float32
        Area of the encoder's gates that make an input bit.
    slot : (1,) float32
        Area of the counter for one output bit.
    """

    gate: NDArray[np.float32]
    table: NDArray[np.float32]
    input: NDArray[np.float32]
    slot: NDArray[np.float32]


class Job(NamedTuple):
    """Memory of one proposal.

    ``span`` holds, of the marked fan-out of a node, the numbers of live nets, of all nets, and of output slots.
    """

    mark: NDArray[np.int32]
    cone: NDArray[np.int32]
    fanout: NDArray[np.int32]
    local: NDArray[np.uint64]
    mux: NDArray[np.uint64]
    out_row: NDArray[np.int32]
    out_net: NDArray[np.int32]
    out_group: NDArray[np.int32]
    active: NDArray[np.int32]
    d: NDArray[np.float32]
    planes: NDArray[np.uint64]
    sums: NDArray[np.int64]
    refs: NDArray[np.int32]
    stack: NDArray[np.int32]
    score: NDArray[np.float64]
    candidate: NDArray[np.int64]
    cells: NDArray[np.uint64]
    cell: NDArray[np.int64]
    span: NDArray[np.int64]


def new_job(nets: int, slots: int, words: int, window: int, *, wide: bool = False) -> Job:
    """Return memory for a proposal on a network of so many nets, slots and words, ranked on ``window`` words."""
    return Job(
        mark=np.full(nets, -1, np.int32), cone=np.empty(nets, np.int32), fanout=np.empty(nets, np.int32),
        local=aligned(np.uint64, nets * CHUNK), mux=aligned(np.uint64, 16 * WORDS),
        out_row=np.empty(slots, np.int32), out_net=np.empty(slots, np.int32), out_group=np.empty(slots, np.int32),
        active=np.empty(slots, np.int32),
        d=aligned(np.float32, words * BITS), planes=aligned(np.uint64, MASKS * PLANES * window),
        sums=np.empty(MASKS * nets, np.int64), refs=np.empty(nets, np.int32), stack=np.empty(2 * nets, np.int32),
        score=np.empty(KEPT, np.float64), candidate=np.empty((KEPT, 3), np.int64),
        cells=aligned(np.uint64, CELLS * PLANES * window if wide else 1), cell=np.empty(CELLS, np.int64),
        span=np.zeros(3, np.int64))
