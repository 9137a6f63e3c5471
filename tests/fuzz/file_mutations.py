"""Mutations of files: of bytes, of plain values, of arrays; and what a reader may do with the result."""

import copy
import resource
import time
import warnings

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardwire.core.errors import HardwireError
from tests.helpers import tenth

#: Inputs of a reader in a slow test and in a quick one.
MANY, FEW = tenth(10_000), 60
SEEDS = st.integers(0, 2**32 - 1)
BYTES = (b"\0", b"\xff", b"\n", b"\"", b"'", b"[", b"]", b"{", b"}", b",", b".", b"=", b"-", b"1", b"9" * 40, b"1e999", b"nan", b"[" * 2000,
         b"\xc2\xb2", b"\xed\xa0\x80", b"\\ud800", b"0x" + b"f" * 5000, b"9" * 5000, b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff\xff\xff\xff\xff")
VALUES = (None, True, False, -1, 0, 1, 2, 3, 255, 2**31, 2**63, 2**64, 10**40, -(10**12), 10**12, 0.0, -0.5, 1e-300, 1e308, -1e308, float("inf"), float("nan"),
          "", "x", "²", "\ud800", "x" * 5000, [], {}, [[]], [0], [1.5], ["a"], {"a": 1}, [[1, 2], [3]])
NUMBERS = (0, 1, 2, 3, 7, 255, -1, -2, 2**31 - 1, -(2**31), 2**62, -(2**63), 1e-30, 1e30, 1e38, -1e38, np.inf, -np.inf, np.nan)
KINDS = (np.float32, np.float64, np.int64, np.int32, np.uint8, np.uint64, np.bool_, np.float16)


def examples(many):
    """The same inputs in every run, without a limit for one of them: the machine may be busy."""
    return settings(max_examples=many, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def for_each_seed(many, call):
    """Call ``call(seed)`` for so many seeds."""
    @examples(many)
    @given(SEEDS)
    def check(seed):
        call(seed)

    check()


def mutated_bytes(rng, content, edits=3):
    content = bytearray(content)
    for _ in range(rng.integers(1, edits + 1)):
        at, size = int(rng.integers(0, len(content) + 1)), int(rng.integers(1, 9))
        kind = rng.integers(6)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            content[at:at] = BYTES[rng.integers(len(BYTES))]
        elif kind == 2:
            del content[at : at + size]
        elif kind == 3:
            content[at : at + size] = BYTES[rng.integers(len(BYTES))]
        elif kind == 4:
            content[at:at] = content[at : at + int(rng.integers(1, 200))]
        elif rng.random() < 0.2:
            del content[at:]
        else:
            content[at : at + size] = rng.bytes(size)
    return bytes(content)


def places(value, path=()):
    """The path of every value in plain values."""
    found = [path]
    if isinstance(value, dict):
        for key, child in value.items():
            found += places(child, (*path, key))
    elif isinstance(value, list):
        for i in range(min(len(value), 4)):
            found += places(value[i], (*path, i))
    return found


def mutated_values(rng, value, edits=2):
    value = copy.deepcopy(value)
    for _ in range(rng.integers(1, edits + 1)):
        known = places(value)
        path = known[rng.integers(len(known))]
        if not path:
            if rng.random() < 0.02:
                return VALUES[rng.integers(len(VALUES))]
            continue
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        key, kind = path[-1], rng.integers(8)
        old = parent[key]
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(old, list):
            parent[key] = old * 2 if rng.random() < 0.5 else old[:-1]
        elif kind == 2 and isinstance(old, (int, float)) and not isinstance(old, bool):
            parent[key] = old + (1, -1, 0.5, 1000)[rng.integers(4)]
        elif kind == 3 and isinstance(parent, dict):
            parent[("other", "self", "", key + "x")[rng.integers(4)]] = parent.pop(key)
        elif kind == 4 and isinstance(parent, dict):
            others = [k for k in parent]
            parent[key] = copy.deepcopy(parent[others[rng.integers(len(others))]])
        else:
            parent[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    return value


def mutated_array(rng, array):
    kind = rng.integers(8)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        array = np.array(array)
        if kind == 0:
            return array.astype(KINDS[rng.integers(len(KINDS))])
        if kind == 1:
            return array.reshape(-1)[: rng.integers(array.size + 1)]
        if kind == 2:
            return np.concatenate([array, array]) if array.ndim else array[None]
        if kind == 3:
            return array.reshape(*array.shape[::-1])
        flat = array.reshape(-1)
        for _ in range(rng.integers(1, 4)):
            if not flat.size:
                break
            at = rng.integers(flat.size)
            if kind == 4:
                flat.view(np.uint8)[at * array.itemsize + rng.integers(array.itemsize)] ^= 1 << int(rng.integers(8))
            elif kind == 5:
                flat[at] = flat[rng.integers(flat.size)]
            else:
                number = NUMBERS[rng.integers(len(NUMBERS))]
                flat[at] = np.asarray(number).astype(array.dtype) if np.isfinite(number) or array.dtype.kind == "f" else 0
        return array


def read(call, *arguments):
    """What ``call`` gives, or None where it refuses; anything but a refusal in one sentence fails, and so does one that takes long."""
    started, before = time.process_time(), peak()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = call(*arguments)
    except HardwireError as error:
        said = str(error)
        assert said and len(said) < 2000, said[:3000]
        said.encode(errors="strict" if said.isascii() else "backslashreplace")
        result = None
    seconds = time.process_time() - started
    assert seconds < 5, f"{seconds:.1f} s"
    assert peak() - before < 1 << 20, "1 GB more than the process ever took before"
    return result


def peak():
    """The most memory that this process ever took, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
