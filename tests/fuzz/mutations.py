"""Mutations of files at the level of bytes, tokens, numbers and lines, drawn by Hypothesis so that failures shrink."""

import hashlib
import re

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

#: What stands in place of a token: limits of types, numbers of odd spelling, words of the formats, names that are paths.
ODD = [t.encode("utf-8", "surrogatepass") for t in (
    "-1", "0", "1", "2", "3", "6", "7", "8", "63", "64", "65", "127", "128", "255", "256", "257", "300", "65535", "65536",
    "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "99999999999999999999", "9" * 400, "-0", "+1", "01", "0x1", "1_0",
    "1.5", "1e308", "-1e308", "1e309", "5e-324", "inf", "-inf", "nan", "٣", "²", "é", "\ud800", "\0", "\x1b[2J", "\u2028",
    "", " ", "\n", "\r", "\\", "\"", "'", "/*", "//", "#", "../../x", "/etc/passwd", "a" * 300, "(", ")", "{", "}", "[" * 100,
    ":", "ge", "popcount", "argmax", "nodes", "label", "input", "output", "macro", "name", "digest", "c", "i0", "o0", "aag",
    "aig", ".names", ".inputs", ".outputs", ".end", ".model", ".latch", "\"x\"", "null", "true", "{}", "[]", "hardwire",
    "area", "function", "pin", "cell", "direction", "ff", "!", "^", "|")]


def _byte(data, a, b):
    place = a % len(data)
    return data[:place] + bytes([b % 256]) + data[place + 1 :]


def _bit(data, a, b):
    place = a % len(data)
    return data[:place] + bytes([data[place] ^ 1 << b % 8]) + data[place + 1 :]


def _cut(data, a, b):
    place = a % len(data)
    return data[:place] + data[place + 1 + b % 16 :]


def _truncate(data, a, b):
    return data[: a % len(data)]


def _insert(data, a, b):
    place = a % len(data)
    return data[:place] + ODD[b % len(ODD)] + data[place:]


def _tokens(change):
    def mutate(data, a, b):
        parts = re.split(rb"(\s+)", data)  # tokens at even places
        change(parts, a % (len(parts) + 1 >> 1) * 2, b)
        return b"".join(parts)
    return mutate


def _odd(parts, i, b):
    parts[i] = ODD[b % len(ODD)]


def _other(parts, i, b):
    parts[i] = parts[b % (len(parts) + 1 >> 1) * 2]


def _step(parts, i, b):
    """A number's neighbour, the number with a bit changed, or a new number near it."""
    if re.fullmatch(rb"-?[0-9]{1,20}", parts[i]):
        number = int(parts[i])
        parts[i] = str((number + 1, number - 1, number ^ 1 << b // 4 % 8, b // 4 % (abs(number) + 3))[b % 4]).encode()


def _drop(parts, i, b):
    parts[i] = b""


def _double(parts, i, b):
    parts[i] = b" ".join([parts[i]] * (2 + b % 3))


def _swap(parts, i, b):
    j = b % (len(parts) + 1 >> 1) * 2
    parts[i], parts[j] = parts[j], parts[i]


def _lines(change):
    def mutate(data, a, b):
        lines = data.split(b"\n")
        change(lines, a % len(lines), b % len(lines))
        return b"\n".join(lines)
    return mutate


def _move(lines, i, j):
    lines.insert(j, lines.pop(i))


def _copy(lines, i, j):
    lines.insert(j, lines[i])


def _remove(lines, i, j):
    del lines[i]


MUTATIONS = [_byte, _bit, _cut, _truncate, _insert, *map(_tokens, (_odd, _other, _other, _step, _step, _drop, _double, _swap)),
             *map(_lines, (_move, _copy, _remove))]
STEP = st.tuples(st.integers(0, len(MUTATIONS) - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1))


def mutated(corpus):
    """A file of ``corpus`` after one to four mutations."""
    return st.tuples(st.integers(0, len(corpus) - 1), st.lists(STEP, min_size=1, max_size=4)).map(
        lambda drawn: mutate(corpus[drawn[0]], drawn[1]))


def mutate(data, steps):
    for kind, a, b in steps:
        data = MUTATIONS[kind](data or b"\n", a, b)
    return data


def signed(data):
    """A .net file with its digest made anew, where it still has one."""
    head, line, rest = data.partition(b"\n")
    content, keyword, _ = rest.rpartition(b"digest ")
    return head + line + content + b"digest " + hashlib.sha256(content).hexdigest().encode() + b"\n" if keyword else data


def examples(count):
    """The same ``count`` inputs on every run, without a limit of time for each."""
    return settings(max_examples=count, derandomize=True, database=None, deadline=None,
                    suppress_health_check=list(HealthCheck))
