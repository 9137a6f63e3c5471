"""Every GPU kernel on layers several times larger than the GPU's cache.

Milliseconds, bytes, and the share of the copy bandwidth that is measured in the same run. ``requested`` counts a row
each time that a node reads it, ``least`` every array once; rows that the cache still holds make the first exceed what
memory delivers. All kernels are compared with the naive references in double precision first, and nothing is reported
when one disagrees. A training step of 6 x 64,000 gates is timed launch by launch and as a CUDA graph.
"""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from hardwire.logic.kernels import reference as naive
from hardwire.logic.kernels.cpu.tree import Geometry
from hardwire.logic.network.nodes import coefficients

from .framework import Figures, RefusedError, Say

DEVICE = "cuda"
STORAGE = {"bfloat16": (torch.bfloat16, 4e-2), "float16": (torch.float16, 5e-3), "float32": (torch.float32, 2e-5)}
KERNELS, SHAPE, DEPTH = 256, (64, 16, 16), 3


def wires(rows, *shape):
    return torch.from_numpy(np.random.default_rng(0).integers(0, rows, shape).astype(np.int32)).to(DEVICE)


def image(kernels, shape, pool=2):
    rng = np.random.default_rng(0)
    leaves = np.stack([rng.integers(0, n, (kernels, 2**DEPTH)) for n in (shape[0], 3, 3)], -1)
    leaves[0, 0, 1:] = 2
    out = kernels, shape[1] // pool, shape[2] // pool
    return leaves, Geometry.of(shape, leaves, out, padding=1, pool=pool)


def error(fast, reference, tensors, storage) -> float:
    """Largest error of values and gradients, relative to the largest entry of each."""
    tensors = [t.to(storage if i == 0 else torch.float32) for i, t in enumerate(tensors)]
    results = []
    for function, kind in ((fast, None), (reference, torch.float64)):
        given = [t.detach().clone().to(kind or t.dtype).requires_grad_() for t in tensors]
        y = function(*given)
        grad = torch.randn(y.shape, generator=torch.Generator().manual_seed(2)).to(storage).to(y)
        y.backward(grad)
        results.append([y.detach().double(), *(t.grad.double() for t in given)])
    return max(((a - b).abs().max() / b.abs().max().clamp(min=1)).item() for a, b in zip(*results))


def check(gpu, ops, storage, tolerance) -> dict:
    """Errors of all operations, on shapes with odd ends; refused when one is too large."""
    torch.manual_seed(0)
    sizes, samples = [999, 2000], 333
    pairs = wires(777, 999, 2), wires(999, 2000, 2)
    candidates, leaves = wires(777, 500, 2, 7), image(9, (3, 11, 10))
    x, shape = torch.rand(samples, 777).to(DEVICE), (3, 11, 10)
    errors = {"gates and group sum": error(
        lambda x, p: ops.stack(x, p, pairs, 10),
        lambda x, p: naive.stack(x, torch.cat(pairs), coefficients(p), sizes, 10),
        [x, torch.rand(2999, 4).to(DEVICE)], storage)}
    errors["learned wiring"] = error(
        lambda x, w, p: ops.mixed(x, w, p, candidates),
        lambda x, w, p: naive.mixed(x, candidates, w, coefficients(p)),
        [x, torch.softmax(torch.randn(500, 2, 7), -1).to(DEVICE), torch.rand(500, 4).to(DEVICE)], storage)
    for inputs in (wires(777, 300, k) for k in range(2, 7)):
        errors[f"look-up tables of {inputs.shape[1]}"] = error(
            lambda x, p, i=inputs: ops.lut(x, p, i), lambda x, p, i=inputs: naive.lut(x, i, p),
            [x, torch.rand(300, 2 ** inputs.shape[1]).to(DEVICE)], storage)
    errors["trees and pool"] = error(
        lambda x, p: ops.tree(x, p, torch.from_numpy(leaves[0]).to(DEVICE), shape, (9, 5, 5), 1, 2),
        lambda x, p: naive.tree(x, shape, torch.from_numpy(leaves[0]), coefficients(p).unflatten(0, (9, -1)), padding=1,
                                pool=2),
        [torch.rand(samples, 330).round().to(DEVICE), torch.rand(9 * 7, 4).to(DEVICE)], storage)
    errors["coefficients of logits"] = error(
        gpu.TableCoefficients.apply, lambda w: coefficients(torch.sigmoid(w)), [torch.randn(3000, 4).to(DEVICE)],
        torch.float32)
    for name, value in errors.items():
        if not value < tolerance:
            raise RefusedError(f"{name} differ from the naive reference by {value:.2g}")
    return errors


def milliseconds(function) -> float:
    """Median of many runs, each after the cache was emptied."""
    from triton.testing import do_bench

    return float(do_bench(function, warmup=50, rep=200, return_mode="median"))


def copy_bandwidth() -> float:
    """Bytes per millisecond, read and written, of a device-to-device copy of one gibibyte."""
    source = torch.zeros(1 << 30, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    return 2 * source.numel() / milliseconds(lambda: target.copy_(source))


def gates_cases(n, samples, storage):
    """Yield (name, function, rows requested, rows at least): ``n`` gates on ``n`` inputs, and their group sum."""
    from hardwire.logic.kernels.cache import as_array
    from hardwire.logic.kernels.gpu import stack as k
    from hardwire.logic.kernels.gpu.inverse import inverse

    x, grad = (torch.rand(n, samples, device=DEVICE).to(storage) for _ in range(2))
    pairs, c = wires(n, n, 2), torch.rand(n, 4, device=DEVICE)
    back = inverse(as_array(pairs), n, DEVICE, pairs=True)
    yield "gates forward", lambda: k.gates(x, pairs, c), 3 * n, 2 * n
    yield "gates coefficient gradient", lambda: k.coefficient_sums(x, grad, pairs, 1), 3 * n, 2 * n
    yield "gates input gradient", lambda: k.input_gradient(x, grad, c, back, 1), 5 * n, 3 * n
    yield "group sum", lambda: k.group_sum(x, 8), n, n


def mixed_cases(n, samples, storage, many=8):
    from hardwire.logic.kernels.gpu import mix as k

    x, grad = (torch.rand(n, samples, device=DEVICE).to(storage) for _ in range(2))
    candidates, c = wires(n, n, 2, many), torch.rand(n, 4, device=DEVICE)
    weights = torch.rand(n, 2, many, device=DEVICE)
    table, back = k.wiring(candidates, x.t())
    yield f"mixed forward, {many} candidates", lambda: k.forward(x, table, weights, c), (2 * many + 1) * n, 2 * n
    yield (f"mixed backward, {many} candidates", lambda: k.backward(x, grad, table, weights, c, back, True),
           (6 * many + 4) * n, 7 * n)


def lut_cases(n, samples, storage):
    from hardwire.logic.kernels.gpu import lut
    from hardwire.logic.kernels.gpu import mix as k

    x, grad = (torch.rand(n, samples, device=DEVICE).to(storage) for _ in range(2))
    for fan_in in (2, 4, 6):
        table, back = k.wiring(wires(n, n, fan_in), x.t())
        p = torch.rand(n, 2**fan_in, device=DEVICE)
        yield f"tables of {fan_in} forward", lambda t=table, p=p: lut.forward(x, t, p), (fan_in + 1) * n, 2 * n
        yield (f"tables of {fan_in} backward", lambda t=table, p=p, b=back: lut.backward(x, grad, t, p, b, False, True),
               (3 * fan_in + 2) * n, (2 * fan_in + 3) * n)


def tree_cases(samples, storage):
    from hardwire.logic.kernels.gpu import tree as k

    t = k.Tables.of(image(KERNELS, SHAPE)[1], DEVICE)
    rows, out, leaves = int(np.prod(SHAPE)), KERNELS * len(t.bases), 2**DEPTH
    x, grad = (torch.rand(n, samples, device=DEVICE).to(storage) for n in (rows, out))
    c = torch.rand(KERNELS * (leaves - 1), 4, device=DEVICE)
    _, winner = k.forward(x, t, c)
    yield "trees forward", lambda: k.forward(x, t, c), out * (4 * leaves + 1), rows + out
    yield ("trees backward", lambda: k.backward(x, grad, winner, t, c, c, True),
           out * (3 * leaves + 1), 2 * rows + out * (2 * leaves + 1))


def measure(cases, samples, storage, bandwidth, say: Say) -> Figures:
    result = {}
    for name, function, requested, least in cases:
        ms, row = milliseconds(function), samples * storage.itemsize
        result[name] = {"ms": ms, "requested_bytes": requested * row, "least_bytes": least * row,
                        "requested_share": requested * row / ms / bandwidth,
                        "least_share": least * row / ms / bandwidth}
        say(f"{name:32} {ms:9.3f} ms   {requested * row / 1e9:7.2f} GB requested, "
            f"{result[name]['requested_share']:5.2f} of a copy; least {result[name]['least_share']:5.2f}")
    return result


class Network(torch.nn.Module):
    """784 inputs, six layers of gates, ten classes."""

    def __init__(self, ops, width=64_000, layers=6):
        super().__init__()
        self.stack, self.layers = ops.stack, layers
        for i, n in enumerate([784] + [width] * (layers - 1)):
            self.register_buffer(f"pairs{i}", wires(n, width, 2))
        self.weight = torch.nn.Parameter(torch.randn(width * layers, 4, device=DEVICE))

    def forward(self, x):
        pairs = [getattr(self, f"pairs{i}") for i in range(self.layers)]
        return self.stack(x, torch.sigmoid(self.weight), pairs, 10) / 100.0


def steps(gpu, ops, storage, batch, width) -> dict:
    """Milliseconds of a training step, launch by launch and as a CUDA graph."""
    network = Network(ops, width)
    x, y = torch.rand(batch, 784, device=DEVICE).to(storage), torch.randint(0, 10, (batch,), device=DEVICE)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01, capturable=True, foreach=True)

    def plain():
        optimizer.zero_grad()
        cross_entropy(network(x), y).backward()
        optimizer.step()

    launches = milliseconds(plain)
    step = gpu.graphed_step(network, optimizer, cross_entropy, x, y)
    return {"launches_ms": launches, "graph_ms": milliseconds(lambda: step(x, y)), "batch": batch, "width": width}


def figures(say: Say, *, storage: str = "bfloat16", gates: int = 65_536, samples: int = 4096) -> Figures:
    """Measure everything; RefusedError where a kernel is wrong or no GPU is there."""
    if not torch.cuda.is_available():
        raise RefusedError("no CUDA GPU is here; run it on a machine that has one")
    from hardwire.logic.kernels import gpu
    from hardwire.logic.kernels.gpu import ops

    kind, tolerance = STORAGE[storage]
    errors, bandwidth = check(gpu, ops, kind, tolerance), copy_bandwidth()
    kernels: Figures = {}
    for cases in (gates_cases(gates, samples, kind), mixed_cases(gates // 4, samples, kind),
                  lut_cases(gates // 4, samples, kind)):
        kernels |= measure(cases, samples, kind, bandwidth, say)
    kernels |= measure(tree_cases(samples // 4, kind), samples // 4, kind, bandwidth, say)
    return {"device": torch.cuda.get_device_name(), "storage": storage, "gates": gates, "samples": samples,
            "copy_gb_per_s": bandwidth / 1e6, "errors": errors, "kernels": kernels,
            "least_share_of_copy": min(v["requested_share"] for k, v in kernels.items() if k.startswith("gates")),
            "step_wide": steps(gpu, ops, kind, 128, 64_000), "step_small": steps(gpu, ops, kind, 128, 2_000)}
