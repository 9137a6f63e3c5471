"""Run as a program, without the interpreter: every kernel that training launches, compiled for a Hopper GPU (none is needed).

Prints a line for each: name, storage, constants, bytes of machine code. Fails when one does not compile.
"""

import numpy as np
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from hardwire.logic.kernels import gpu
from hardwire.logic.kernels.gpu import ops

TYPES = {torch.float32: "*fp32", torch.bfloat16: "*bf16", torch.float16: "*fp16", torch.int32: "*i32", torch.uint8: "*u8"}
HOPPER = GPUTarget("cuda", 90, 32)
compiled = {}


def specialised(value):
    """Type of an argument, and whether it is known to be a multiple of 16, as a launch would see them."""
    if isinstance(value, torch.Tensor):
        return TYPES[value.dtype], value.data_ptr() % 16 == 0
    return ("i32", value % 16 == 0) if value != 1 else ("constexpr", False)


def compile_instead(kernel, *arguments, grid, warmup, enable_fp_fusion, num_warps=4, **constants):
    names = list(kernel.arg_names)
    signature, attributes = dict.fromkeys(constants, "constexpr"), {}
    for i, (name, value) in enumerate(zip(names, arguments, strict=False)):
        signature[name], even = specialised(value)
        if signature[name] == "constexpr":
            constants[name] = value
        if even:
            attributes[(i,)] = [["tt.divisibility", 16]]
    signature = {name: signature[name] for name in names}
    key = kernel.__name__, tuple(signature.values()), tuple(constants.items()), num_warps
    if key not in compiled:
        source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attributes)
        options = {"num_warps": num_warps, "enable_fp_fusion": enable_fp_fusion}
        compiled[key] = triton.compile(source, target=HOPPER, options=options)
        storage = next(t for t in signature.values() if t != "constexpr")
        print(kernel.__name__, storage, *(f"{k}={v}" for k, v in constants.items()), len(compiled[key].asm["cubin"]), flush=True)


def train(function, *tensors):
    tensors = [t.requires_grad_() for t in tensors]
    function(*tensors).sum().backward()


def stacks(x, rng):
    pairs = torch.from_numpy(rng.integers(0, 100, (900, 2)).astype(np.int32))
    train(lambda x, v: ops.stack(x, v, pairs.split([300, 600]), 2, True), x, torch.zeros(900, 4))
    for k in (1, 8):
        candidates = pairs[: 100 * k].reshape(100, 2, k)
        train(lambda x, w, v, c=candidates: ops.mixed(x, w, v, c), x, torch.zeros(100, 2, k), torch.zeros(100, 4))


def luts(x, rng, sizes):
    for k in sizes:
        inputs = torch.from_numpy(rng.integers(0, 100, (50, k)).astype(np.int32))
        train(lambda x, p, i=inputs, k=k: ops.lut(x, p, i, k % 2 == 0), x, torch.zeros(50, 2**k))


def trees(x, rng, kinds):
    for depth, pool in kinds:
        leaves = rng.integers(0, 3, (4, 2**depth, 3))
        leaves[0, 0] = 2
        options = torch.from_numpy(leaves), (4, 6, 6), (4, 4 // pool, 4 // pool), 0, pool
        train(lambda x, v, o=options: ops.tree(x, v, *o), x, torch.zeros(4 * (2**depth - 1), 4))


def main():
    """All kernels in bfloat16, the shapes that differ most in all types; one sample, whose sizes are constants."""
    JITFunction.run = compile_instead
    rng = np.random.default_rng(0)
    train(gpu.TableCoefficients.apply, torch.zeros(5, 4))
    for dtype, samples in ((torch.bfloat16, 300), (torch.float32, 300), (torch.float16, 300), (torch.float32, 1)):
        x = torch.zeros(samples, 4 * 36, dtype=dtype)
        stacks(x, rng)
        luts(x, rng, range(2, 7) if dtype == torch.bfloat16 else [4])
        trees(x, rng, ((1, 1), (2, 2), (3, 2), (4, 2), (5, 1)) if dtype == torch.bfloat16 else ((2, 2), (2, 4)))
    print("compiled", len(compiled), "kernels:", *sorted({key[0] for key in compiled}))


if __name__ == "__main__":
    main()
