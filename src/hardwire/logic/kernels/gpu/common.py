"""What all kernels share: buffers, tiles, launches, and the loading of rows."""

import torch
import triton
import triton.language as tl

from ....core.errors import InputError

STORAGE = (torch.float32, torch.bfloat16, torch.float16)
#: A row begins at a multiple of so many elements, so that its loads can be wide.
ALIGN = 16
#: Programs that keep a large GPU busy; shapes alone decide how sums are cut, never the device.
PROGRAMS = 1024
#: Bytes that the gradients of all operands of a chunk of samples may take in backward.
BUDGET = 1 << 30


def fresh(*shape: int, dtype, device) -> torch.Tensor:
    """Memory with anything in it: every buffer and result of this package comes from here."""
    return torch.empty(shape, dtype=dtype, device=device)


def rows_of(rows: int, samples: int, dtype, device) -> torch.Tensor:
    """A fresh (rows, samples) whose rows begin aligned."""
    pitch = triton.cdiv(max(samples, 1), ALIGN) * ALIGN
    return fresh(rows, pitch, dtype=dtype, device=device)[:, :samples]


def feature_major(x: torch.Tensor) -> torch.Tensor:
    """Sample-major ``x`` (samples, features) as (features, samples) with contiguous rows; copied only if need be."""
    if x.dtype not in STORAGE:
        raise InputError("the GPU kernels store float32, bfloat16 or float16, not "
                         f"{str(x.dtype).removeprefix('torch.')}; convert it")
    x = x.detach().t()
    apart = x.shape[0] <= 1 or x.stride(0) >= x.shape[1]
    return x if (x.stride(1) == 1 or x.shape[1] <= 1) and apart and x.stride(0) > 0 else x.contiguous()


def launch(kernel, grid, tensor: torch.Tensor, *arguments, **constants) -> None:
    """``kernel`` over ``grid`` on the device of ``tensor``, its first argument; nothing for an empty grid."""
    if 0 in grid:
        return
    if tensor.is_cuda:
        with torch.cuda.device(tensor.device):
            kernel[grid](tensor, *arguments, enable_fp_fusion=True, **constants)
    else:
        kernel[grid](tensor, *arguments, enable_fp_fusion=True, **constants)


def tile(rows: int, samples: int, size: int = 2048) -> tuple[int, int]:
    """Powers of two: a tile of about ``size`` elements, at most 256 samples wide."""
    wide = min(256, max(16, triton.next_power_of_2(max(samples, 1))))
    return min(size // wide, triton.next_power_of_2(max(rows, 1))), wide


def strip(samples: int, widest: int = 512) -> tuple[int, int]:
    """Samples and warps of a program that works on one node: one to four samples a thread."""
    wide = min(widest, max(32, triton.next_power_of_2(max(samples, 1))))
    return wide, max(1, min(4, wide // 32))


def cut(items: int, step: int, programs: int) -> tuple[int, int]:
    """(parts, span): ``items`` in parts of ``span``, a multiple of ``step``, for about ``PROGRAMS`` programs."""
    steps = max(1, triton.cdiv(items, step))
    span = triton.cdiv(steps, max(1, min(steps, triton.cdiv(PROGRAMS, max(1, programs))))) * step
    return max(1, triton.cdiv(items, span)), span


def chunks(samples: int, row_bytes: int) -> list[slice]:
    """Samples in chunks, ``row_bytes`` for each, that stay within ``BUDGET``; one empty chunk for no samples."""
    most = max(256, BUDGET // max(1, row_bytes) // 256 * 256)
    return [slice(first, min(first + most, samples)) for first in range(0, max(1, samples), most)]


@triton.jit
def load_rows(x, row, pitch, s, inside):
    """``x[row, s]`` in float32 for rows (R,) and samples (S,); 0 where not ``inside`` (R, S)."""
    return tl.load(x + row.to(tl.int64)[:, None] * pitch + s[None, :], mask=inside, other=0.0).to(tl.float32)


@triton.jit
def load_row(x, row, pitch, s, inside):
    """``x[row, s]`` in float32 for samples (S,) and one row, or a row for each."""
    return tl.load(x + row.to(tl.int64) * pitch + s, mask=inside, other=0.0).to(tl.float32)


@triton.jit
def store_rows(y, row, pitch, s, value, inside):
    tl.store(y + row.to(tl.int64)[:, None] * pitch + s[None, :], value, mask=inside)


@triton.jit
def store_row(y, row, pitch, s, value, inside):
    tl.store(y + row.to(tl.int64) * pitch + s, value, mask=inside)
