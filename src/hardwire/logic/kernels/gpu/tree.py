"""``functional.tree``: trees of gates slid over an image and pooled; a tree and its pool are never written to memory.

With ``L = 2^d`` leaves, gate ``g`` is node ``L + g`` and reads nodes ``2g`` and ``2g + 1``, whatever its level; so the
values of all nodes are one tuple in the order of their numbers, and their gradients one in the opposite order. Backward
computes the winner's tree anew, writes the gradients of its leaves, and gathers them into the image: an input row knows
which (kernel, leaf) can read it, and the position follows from the two rows' distance.
"""



from dataclasses import dataclass

import numpy as np
import torch
import triton
import triton.language as tl

from . import common
from .common import chunks, cut, launch, load_row, load_rows, rows_of, store_row, store_rows, strip, tile
from .inverse import on

#: Depth of the deepest trees, side of the widest pools.
DEEPEST, WIDEST = 5, 15
#: Windows that one program of forward computes, so that a kernel's coefficients are loaded once for them.
WINDOWS = 8


@triton.jit
def _coefficients(c, kernel, D: tl.constexpr):
    """Four scalars for each gate of a kernel."""
    found = ()
    for i in tl.static_range(4 * ((1 << D) - 1)):
        found = found + (tl.load(c + kernel * (4 * ((1 << D) - 1)) + i),)
    return found


@triton.jit
def _leaves(x, leaves, source, kernel, base, pitch, s, inside, D: tl.constexpr):
    """Values of a kernel's leaves in the window position of ``base``, one for all samples or for each; 0 outside."""
    v = ()
    for i in tl.static_range(1 << D):
        row = tl.load(source + tl.load(leaves + (kernel << D) + i) + base)
        v = v + (load_row(x, tl.maximum(row, 0), pitch, s, inside & (row + tl.zeros_like(s) >= 0)),)
    return v


@triton.jit
def _grow(v, c, D: tl.constexpr):
    """All nodes' values from the leaves' ``v`` and the coefficients ``c``."""
    for g in tl.static_range((1 << D) - 1):
        a = v[2 * g]
        v = v + (c[4 * g] + c[4 * g + 1] * a + (c[4 * g + 2] + c[4 * g + 3] * a) * v[2 * g + 1],)
    return v


@triton.jit
def _descend(v, c, y, D: tl.constexpr):
    """Gradients of all nodes from the root's ``y`` down to leaf 0: node ``n``'s is entry ``2^(d+1) - 2 - n``."""
    down = (y,)
    for i in tl.static_range((1 << D) - 1):
        upper = down[i]
        a = v[2 * ((1 << D) - 2 - i)]
        b = v[2 * ((1 << D) - 2 - i) + 1]
        joint = c[4 * ((1 << D) - 2 - i) + 3]
        down = down + (upper * (c[4 * ((1 << D) - 2 - i) + 2] + joint * a),
                       upper * (c[4 * ((1 << D) - 2 - i) + 1] + joint * b))
    return down


@triton.jit
def _tree(x, leaves, bases, source, c, y, winner, x_pitch, y_pitch, windows, samples, D: tl.constexpr,
          PLACES: tl.constexpr, MANY: tl.constexpr, BS: tl.constexpr):
    """Row ``kernel windows + w`` of ``y``: the largest of the window's trees; ``winner`` is its first position."""
    groups = (windows + MANY - 1) // MANY
    kernel = tl.program_id(0) // groups
    first = tl.program_id(0) % groups * MANY
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    inside = s < samples
    scalars = _coefficients(c, kernel, D)
    for w in range(first, tl.minimum(first + MANY, windows)):
        best = tl.full([BS], float("-inf"), tl.float32)
        won = tl.zeros([BS], tl.int32)
        for place in range(PLACES):
            base = tl.load(bases + w * PLACES + place)
            v = _grow(_leaves(x, leaves, source, kernel, base, x_pitch, s, inside, D), scalars, D)
            value = v[2 * (1 << D) - 2]
            better = (value > best) | (value != value)
            best = tl.where(better, value, best)
            won = tl.where(better, place, won)
        store_row(y, kernel * windows + w, y_pitch, s, best, inside)
        if PLACES > 1:
            store_row(winner, kernel * windows + w, y_pitch, s, won.to(tl.uint8), inside)


@triton.jit
def _tree_backward(x, grad, leaves, bases, source, c, slopes, winner, d, dc, x_pitch, grad_pitch, winner_pitch, d_pitch,
                   kernels, windows, samples, span, D: tl.constexpr, PLACES: tl.constexpr, KEEP: tl.constexpr,
                   BS: tl.constexpr):
    """One part of (window, strip of samples): sums for ``dc``; row ``(kernel windows + w) 2^d + leaf`` of ``d``."""
    kernel = tl.program_id(0)
    part = tl.program_id(1)
    strips = (samples + BS - 1) // BS
    scalars = _coefficients(c, kernel, D)
    slope = _coefficients(slopes, kernel, D)
    sums = ()
    for _ in tl.static_range(4 * ((1 << D) - 1)):
        sums = sums + (tl.zeros([BS], tl.float32),)
    for item in range(part * span, tl.minimum(part * span + span, windows * strips)):
        w = item // strips
        s = item % strips * BS + tl.arange(0, BS)
        inside = s < samples
        row = kernel * windows + w
        won = tl.zeros([BS], tl.int32)
        if PLACES > 1:
            won = tl.load(winner + row.to(tl.int64) * winner_pitch + s, mask=inside, other=0).to(tl.int32)
        base = tl.load(bases + w * PLACES + won)
        v = _grow(_leaves(x, leaves, source, kernel, base, x_pitch, s, inside, D), scalars, D)
        down = _descend(v, slope, load_row(grad, row, grad_pitch, s, inside), D)
        more = ()
        for g in tl.static_range((1 << D) - 1):
            y = down[(1 << D) - 2 - g]
            ya = y * v[2 * g]
            b = v[2 * g + 1]
            more = more + (sums[4 * g] + y, sums[4 * g + 1] + ya, sums[4 * g + 2] + y * b, sums[4 * g + 3] + ya * b)
        sums = more
        if KEEP:
            for i in tl.static_range(1 << D):
                store_row(d, row.to(tl.int64) * (1 << D) + i, d_pitch, s, down[2 * (1 << D) - 2 - i], inside)
    at = (part.to(tl.int64) * kernels + kernel) * (4 * ((1 << D) - 1))
    for i in tl.static_range(4 * ((1 << D) - 1)):
        tl.store(dc + at + i, tl.sum(sums[i], 0))


@triton.jit
def _image_gradient(d, winner, starts, ends, spots, slots, place, position, dx, d_pitch, winner_pitch, dx_pitch, rows,
                    windows, samples, D: tl.constexpr, PLACES: tl.constexpr, BR: tl.constexpr, BS: tl.constexpr):
    """``dx_r`` = sum of the leaf gradients of all (kernel, leaf) that read row ``r`` in the window position that won.

    ``spots`` are the padded rows of the leaves at position 0, ascending; that of input row ``r`` is ``place[r]``; their
    distance names the position in ``position``, -1 for none.
    """
    r = tl.program_id(0) * BR + tl.arange(0, BR)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    real = r < rows
    within = (s < samples)[None, :]
    first = tl.load(starts + r, mask=real, other=0)
    count = tl.load(ends + r, mask=real, other=0) - first
    padded = tl.load(place + r, mask=real, other=0)
    total = tl.zeros([BR, BS], tl.float32)
    for i in range(tl.max(count, 0)):
        used = i < count
        at = tl.load(position + padded - tl.load(spots + first + i, mask=used, other=0), mask=used, other=-1)
        used = used & (at >= 0)
        slot = tl.load(slots + first + i, mask=used, other=0)
        row = slot // (1 << D) * windows + tl.maximum(at, 0) // PLACES
        inside = used[:, None] & within
        if PLACES > 1:
            won = tl.load(winner + row.to(tl.int64)[:, None] * winner_pitch + s[None, :], mask=inside, other=255)
            inside = inside & (won.to(tl.int32) == (at % PLACES)[:, None])
        total += load_rows(d, row.to(tl.int64) * (1 << D) + slot % (1 << D), d_pitch, s, inside)
    store_rows(dx, r, dx_pitch, s, total, real[:, None] & within)


@dataclass(frozen=True)
class Tables:
    """A ``Geometry`` on the device, int32, with what backward needs to go from an input row to the leaves that read it.

    leaves, bases, place  as in ``cpu.tree.Geometry``; source is the input row of each padded row, -1 on the border
    spots, slots          padded rows of all leaves in ascending order, and which leaf (kernel 2^d + leaf) each is
    starts, ends          the part of them that input row ``r`` can reach, for each input row
    position              window position (window pool^2 + place) of each distance from leaf to row, -1 for none
    """

    leaves: torch.Tensor
    bases: torch.Tensor
    place: torch.Tensor
    source: torch.Tensor
    spots: torch.Tensor
    slots: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    position: torch.Tensor

    @classmethod
    def of(cls, geometry, device) -> "Tables":
        """The tables of a geometry, copied to the device."""
        leaves, bases, place = (np.asarray(a) for a in (geometry.leaves, geometry.bases, geometry.place))
        source = np.full(geometry.rows, -1)
        source[place] = np.arange(len(place))
        slots = np.argsort(leaves.ravel(), kind="stable")
        spots = leaves.ravel()[slots]
        position = np.full(bases.max() + 1, -1)
        position[bases.ravel()] = np.arange(bases.size)
        starts, ends = np.searchsorted(spots, place - bases.max()), np.searchsorted(spots, place, side="right")
        arrays = leaves, bases, place, source, spots, slots, starts, ends, position
        return cls(*(on(device, a) for a in arrays))

    @property
    def depth(self) -> int:
        """Of the trees."""
        return self.leaves.shape[1].bit_length() - 1


def forward(x, t: Tables, c) -> tuple[torch.Tensor, torch.Tensor]:
    """``x`` (inputs, samples) -> (kernels windows, samples) and each one's winning position, uint8 (none of pool 1)."""
    kernels, (windows, places), samples = len(t.leaves), t.bases.shape, x.shape[1]
    y = rows_of(kernels * windows, samples, x.dtype, x.device)
    winner = rows_of(kernels * windows if places > 1 else 0, samples, torch.uint8, x.device)
    wide, warps = strip(samples, 512 if t.depth < 4 else 128)
    grid = kernels * triton.cdiv(windows, WINDOWS), triton.cdiv(samples, wide)
    launch(_tree, grid, x, t.leaves, t.bases, t.source, c, y, winner, x.stride(0), y.stride(0), windows, samples,
           D=t.depth, PLACES=places, MANY=WINDOWS, BS=wide, num_warps=warps)
    return y, winner


def backward(x, grad, winner, t: Tables, c, slopes, want_dx):
    """Gradients of ``forward``: coefficients as parts (parts, kernels gates, 4), and inputs or None."""
    dx = rows_of(*x.shape, x.dtype, x.device) if want_dx else None
    spans = chunks(x.shape[1], len(t.bases) * t.leaves.numel() * x.element_size() if want_dx else 0)
    found = [_chunk(x[:, s], grad[:, s], winner[:, s], t, c, slopes, dx[:, s] if want_dx else None) for s in spans]
    return torch.cat(found), dx


def _chunk(x, grad, winner, t: Tables, c, slopes, dx) -> torch.Tensor:
    """Backward for some samples: into ``dx`` if there is one; parts of the coefficients' gradient."""
    kernels, (windows, places), samples = len(t.leaves), t.bases.shape, x.shape[1]
    wide, warps = strip(samples, 128)
    parts, span = cut(windows * triton.cdiv(samples, wide), 1, kernels)
    d = rows_of(1 if dx is None else t.leaves.numel() * windows, samples, x.dtype, x.device)
    dc = common.fresh(parts, kernels * (t.leaves.shape[1] - 1), 4, dtype=torch.float32, device=x.device)
    launch(_tree_backward, (kernels, parts), x, grad, t.leaves, t.bases, t.source, c, slopes, winner, d, dc,
           x.stride(0),
           grad.stride(0), winner.stride(0), d.stride(0), kernels, windows, samples, span, D=t.depth, PLACES=places,
           KEEP=dx is not None, BS=wide, num_warps=warps)
    if dx is not None:
        high, wide = tile(*x.shape)
        grid = triton.cdiv(len(x), high), triton.cdiv(samples, wide)
        launch(_image_gradient, grid, d, winner, t.starts, t.ends, t.spots, t.slots, t.place, t.position, dx,
               d.stride(0),
               winner.stride(0), dx.stride(0), len(x), windows, samples, D=t.depth, PLACES=places, BR=high, BS=wide)
    return dc
