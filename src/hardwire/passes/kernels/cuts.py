"""What priority cuts and cut rewriting share."""

from ...core.jit import inner


@inner
def union(x, nx, y, ny, out, limit):
    """The union of two ascending rows in ``out``; its length, or -1 where that exceeds ``limit``."""
    i = j = n = 0
    while i < nx or j < ny:
        if n == limit:
            return -1
        if j == ny or (i < nx and x[i] <= y[j]):
            if j < ny and x[i] == y[j]:
                j += 1
            out[n] = x[i]
            i += 1
        else:
            out[n] = y[j]
            j += 1
        n += 1
    return n
