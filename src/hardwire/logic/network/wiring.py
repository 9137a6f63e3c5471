"""Which two inputs each gate reads. Every wiring is a function of its seed alone and gives (gates, 2) int32 pairs."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError

#: Wires: numbers of inputs. Channels, height and width of an image.
Wires = NDArray[np.integer[Any]]
Shape = tuple[int, int, int]


def random_pairs(inputs: Wires, gates: int, rng: np.random.Generator) -> Wires:
    """Random pairs of ``inputs``: no gate reads one input twice, no two read one pair, uses of inputs differ by little.

    Operands are dealt from whole permutations; where a quarter or more of all pairs is wanted, from rounds of a
    tournament. More gates than there are pairs share all pairs evenly: two gates of one pair can learn two functions of
    it.
    """
    n = len(inputs)
    possible = n * (n - 1) // 2
    if not possible:
        raise InputError(f"a gate reads two different inputs, but there are only {n}; use more inputs")
    if gates > possible:
        all_pairs = random_pairs(inputs, possible, rng)
        return np.concatenate([all_pairs, random_pairs(inputs, gates - possible, rng)])
    if gates > possible // 4:  # repeats would hardly ever be dealt away
        return inputs[_flip(_tournament(n, gates, rng), rng)]
    deals = -(-2 * gates // n)
    pairs: Wires = np.concatenate([rng.permutation(n) for _ in range(deals)])[: 2 * gates].reshape(gates, 2)
    while len(bad := _repeats(pairs, n)):
        swap = rng.permutation(gates)[: len(bad)]  # exchange second operands, so that uses stay even
        pairs[bad, 1], pairs[swap, 1] = pairs[swap, 1].copy(), pairs[bad, 1].copy()
    return inputs[pairs]


def random_inputs(inputs: Wires, nodes: int, rng: np.random.Generator, k: int) -> Wires:
    """(nodes, k) of ``inputs``, dealt from whole permutations, so that uses differ by little.

    A node reads ``k`` different inputs, as far as there are so many; pairs are those of ``random_pairs``.
    """
    if k == 2:
        return random_pairs(inputs, nodes, rng)
    if k < 1 or not len(inputs):
        raise InputError(f"a node cannot read {k} of {len(inputs)} inputs; give at least one of each")
    return inputs[_deal(len(inputs), nodes, k, rng)]


def _deal(n: int, nodes: int, k: int, rng: np.random.Generator) -> Wires:
    """(nodes, k) of ``range(n)`` from permutations; one that begins within a node puts last what it reads already."""
    deals: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for start in range(0, nodes * k, n):
        held = deals[-1][max(0, n - start % k) :]
        deal = rng.permutation(n)
        deals.append(deal[np.argsort(np.isin(deal, held), kind="stable")])
    return np.concatenate(deals)[: nodes * k].reshape(nodes, k)


def local_candidates(shape: Shape, levels: int, active: NDArray[np.bool_], gates: int, k: int,
                     rng: np.random.Generator, fan_in: int = 2) -> Wires:
    """Candidates (gates, fan_in, k) for learned wiring of a first layer: bits of an encoded image near a place.

    All operands of a gate draw from one square, of a side of half the image, around a random pixel, over all channels
    and thresholds; bits that are not ``active`` are left out as far as others are near. Bit order as in
    ``structured_pairs``.
    """
    channels, height, width = shape
    planes = levels * channels
    y, x = rng.integers(0, height, (gates, 1)), rng.integers(0, width, (gates, 1))
    reach_y, reach_x = max(1, height // 4), max(1, width // 4)

    def draw(rows: Wires) -> Wires:
        n = (len(rows), fan_in * k)
        rows_of_bits = np.clip(y[rows] + rng.integers(-reach_y, reach_y + 1, n), 0, height - 1)
        columns = np.clip(x[rows] + rng.integers(-reach_x, reach_x + 1, n), 0, width - 1)
        bits: Wires = rng.integers(0, planes, n) * height * width + rows_of_bits * width + columns
        return bits

    bits = draw(np.arange(gates))
    for _ in range(16):  # where a square holds few active bits, its gate moves
        poor = np.flatnonzero((~active[bits]).any(1))
        again = draw(poor)
        bits[poor] = np.where(active[bits[poor]], bits[poor], again)
        lost = poor[~active[bits[poor]].any(1)]
        y[lost], x[lost] = rng.integers(0, height, (len(lost), 1)), rng.integers(0, width, (len(lost), 1))
    rest = ~active[bits]
    bits[rest] = rng.choice(np.flatnonzero(active), int(rest.sum()))
    return bits.reshape(gates, fan_in, k).astype(np.int32)


def in_order(pairs: Wires, groups: int = 1) -> Wires:
    """The same wires, gates ordered by their first input within each of ``groups`` equal groups.

    Which gate stands where is free within a layer; so ordered, the kernels read memory in sequence. The last layer is
    ordered within its classes, so that each still sees all of the layer before.
    """
    parts = pairs.reshape(groups, -1, *pairs.shape[1:])
    first = parts.reshape(*parts.shape[:2], -1)[..., 0]
    return np.take_along_axis(parts, np.argsort(first, axis=1, kind="stable")[:, :, None], 1).reshape(pairs.shape)


def tree_leaves(channels: int, kernels: int, field: int, leaves: int, rng: np.random.Generator, *, groups: int = 1,
                channels_per_tree: int = 2, wiring: str = "random") -> NDArray[np.int32]:
    """Leaves of convolution trees, (kernels, leaves, 3) int32: channel, row, column inside a square of side ``field``.

    A tree sees ``channels_per_tree`` channels of its group; its leaves are different places as far as there are so
    many. Kernels and channels are split evenly into ``groups``; within a group channels are dealt in turn, so that each
    is used. ``random``: any places, in any order (Petersen et al., 2024). ``structured``: the two leaves of a gate are
    neighbours in one channel, also aslant, and each channel has a branch of the tree to itself.
    """
    if groups > min(channels, kernels):
        raise InputError(f"{groups} groups for {channels} channels and {kernels} kernels; use at most "
                         f"{min(channels, kernels)}")
    result = np.empty((kernels, leaves, 3), dtype=np.int32)
    draw = _neighbouring if wiring == "structured" and field > 1 else _anywhere
    parts = np.array_split(np.arange(channels), groups), np.array_split(np.arange(kernels), groups)
    for group, members in zip(*parts, strict=True):
        per = min(channels_per_tree, len(group))
        for kernel, seen in zip(members, group[_deal(len(group), len(members), per, rng)], strict=True):
            result[kernel] = draw(np.sort(seen), field, leaves, rng)
    return result


def _anywhere(seen: Wires, field: int, leaves: int, rng: np.random.Generator) -> Wires:
    """Leaves (leaves, 3) at random places of the channels ``seen``."""
    places = np.stack(np.meshgrid(seen, np.arange(field), np.arange(field), indexing="ij"), -1).reshape(-1, 3)
    return places[_in_turn(len(places), leaves, rng)]


def _neighbouring(seen: Wires, field: int, leaves: int, rng: np.random.Generator) -> Wires:
    """Leaves (leaves, 3), two by two neighbours; the channels ``seen`` in turn, no pair twice if there are enough."""
    pairs = _neighbours(field)
    result = np.empty((leaves // 2, 2, 3), dtype=np.int32)
    for channel, own in zip(seen, np.array_split(result, len(seen)), strict=True):
        own[..., 0], own[..., 1:] = channel, pairs[_in_turn(len(pairs), len(own), rng)]
    return result.reshape(leaves, 3)


@functools.cache
def _neighbours(field: int) -> Wires:
    """All pairs of neighbouring places in a square, (pairs, 2, 2): row and column of both."""
    y, x = (n.ravel() for n in np.indices((field, field)))
    steps = (0, 1), (1, 0), (1, 1), (1, -1)
    pairs = np.concatenate([np.array([[y, x], [y + dy, x + dx]]).transpose(2, 0, 1) for dy, dx in steps])
    return pairs[((pairs >= 0) & (pairs < field)).all((1, 2))]


def _in_turn(n: int, count: int, rng: np.random.Generator) -> Wires:
    """``count`` of ``n`` numbers at random, none again before all have been."""
    return np.concatenate([rng.permutation(n) for _ in range(max(1, -(-count // n)))])[:count]


def _tournament(n: int, gates: int, rng: np.random.Generator) -> Wires:
    """``gates`` of all pairs, round after round of a round robin (circle method): every input plays once in a round."""
    players = n + n % 2  # where n is odd, the last one is nobody
    rounds, place = np.arange(players - 1)[:, None], np.arange(players // 2)
    pairs = np.stack([(rounds + place) % (players - 1), (rounds - place) % (players - 1)], 2)
    pairs[:, 0, 0] = players - 1
    pairs = pairs[rng.permutation(players - 1)].reshape(-1, 2)
    played: Wires = rng.permutation(n)[pairs[pairs.max(1) < n][:gates]]
    return played


def _repeats(pairs: Wires, n: int) -> Wires:
    """Rows that pair an input with itself or repeat an earlier pair in either order."""
    key = pairs.min(1).astype(np.int64) * n + pairs.max(1)
    first = np.zeros(len(pairs), dtype=bool)
    first[np.unique(key, return_index=True)[1]] = True
    return np.flatnonzero(~first | (pairs[:, 0] == pairs[:, 1]))


def _flip(pairs: Wires, rng: np.random.Generator) -> Wires:
    """Each pair in either order."""
    turn = rng.random(len(pairs)) < 0.5
    return np.where(turn[:, None], pairs[:, ::-1], pairs)


def structured_pairs(shape: Shape, levels: int, active: NDArray[np.bool_], gates: int,
                     rng: np.random.Generator) -> Wires:
    """Pairs of neighbouring bits of an encoded image, for a first layer.

    Bit ``t F + f`` is threshold ``t`` of feature ``f = (channel, y, x)``. Stages pair a bit with the one at a distance
    of 1, 2, 4, ... along x or along y; at distance 1 also with the next channel, and with the next threshold one pixel
    on, so that two thermometer bits of one pixel never meet. Gates take the stages in turn and each stage's bits in a
    seeded order; bits that are not ``active`` (constant on the training set) are left out; the order of the gates is
    shuffled, so that no group of outputs sees one region only.

    References
    ----------
    The semantic first layer of CoverageDLGN, which gains four points on CIFAR-10.
    """
    stages = _stages(shape, levels, active)
    each = -(-gates // len(stages))
    taken = [s[rng.permutation(len(s))][:each] for s in stages]
    rows = [t[i] for i in range(each) for t in taken if i < len(t)]
    pairs = _unique(np.array(rows, dtype=np.int64).reshape(-1, 2), shape, levels)[:gates]
    if len(pairs) < gates:
        fill = _fill(shape, active, gates, rng)
        pairs = np.concatenate([_unique(np.concatenate([pairs, fill]), shape, levels), fill])[:gates]
    return _flip(pairs[rng.permutation(len(pairs))], rng)


def _fill(shape: Shape, active: NDArray[np.bool_], gates: int, rng: np.random.Generator) -> Wires:
    """Random pairs, those of two thresholds of one pixel last: they are used only when no others are left."""
    n = int(active.sum())
    rest = random_pairs(np.flatnonzero(active), max(gates, min(2 * gates, n * (n - 1) // 2)), rng)
    return rest[np.argsort(rest[:, 0] % np.prod(shape) == rest[:, 1] % np.prod(shape), kind="stable")]


def _stages(shape: Shape, levels: int, active: NDArray[np.bool_]) -> list[Wires]:
    """All pairs of each stage of ``structured_pairs``, of active bits alone."""
    channels, height, width = shape
    index = np.arange(levels * channels * height * width).reshape(levels, channels, height, width)
    stages: list[tuple[Wires, Wires]] = []
    stride = 1
    while stride < max(height, width):
        stages += [(index[..., :-stride], index[..., stride:])] if stride < width else []
        stages += [(index[:, :, :-stride], index[:, :, stride:])] if stride < height else []
        if stride == 1 and channels > 1:
            stages.append((index[:, :-1], index[:, 1:]))
        if stride == 1 and levels > 1 and width > 1:
            stages.append((index[:-1, ..., :-1], index[1:, ..., 1:]))
        stride *= 2
    pairs = [np.stack([a.ravel(), b.ravel()], 1) for a, b in stages]
    pairs = [p[active[p].all(1)] for p in pairs]
    return [p for p in pairs if len(p)]


def _unique(pairs: Wires, shape: Shape, levels: int) -> Wires:
    """The pairs, in their order, without those that repeat an earlier one in either order."""
    n = levels * int(np.prod(shape))
    key = pairs.min(1) * n + pairs.max(1)
    return pairs[np.sort(np.unique(key, return_index=True)[1])]


def first_layer(wiring: str, bits: int, gates: int, rng: np.random.Generator, *, shape: Shape | None = None,
                levels: int = 1, active: NDArray[np.bool_] | None = None) -> NDArray[np.int32]:
    """The first layer's pairs by name: ``structured`` (images; falls back to random without a shape) or ``random``."""
    if wiring not in ("structured", "random"):
        raise InputError(f"wiring {wiring!r} is none of structured, random")
    active = np.ones(bits, dtype=bool) if active is None else np.asarray(active, dtype=bool)
    if active.sum() < 2:
        raise InputError(f"only {int(active.sum())} of {bits} input bits vary on the training set; a gate needs two: "
                         f"give more levels or more features")
    if wiring == "structured" and shape is not None and _stages(shape, levels, active):
        return structured_pairs(shape, levels, active, gates, rng).astype(np.int32)
    return random_pairs(np.flatnonzero(active), gates, rng).astype(np.int32)
