"""Stages of a pipeline with the fewest registers, as the dual of a flow problem solved by cuts.

A variable ``x`` counts registers between the inputs and a point of the circuit. The constraints are differences,
``x[v] >= x[u] + w``, and the cost is linear, so that the least cost among integers is reached from the least feasible
point by raising sets of variables by one: each set is the source's side of a minimum cut, and the number of rounds is
the largest distance that a variable moves.

References
----------
Leiserson, Saxe, "Retiming synchronous circuitry", Algorithmica 6, 1991.
Murota, Shioura, "Exact bounds for steepest descent algorithms of L-convex function minimization", Operations Research
Letters 42, 2014.
"""

from collections import deque
from collections.abc import Sequence

#: ``(u, v, w)``: ``x[v] >= x[u] + w``.
Difference = tuple[int, int, int]


def least(n: int, differences: Sequence[Difference], start: Sequence[int]) -> list[int]:
    """The least values that satisfy all differences and are at least ``start``; the differences have no circle."""
    x, open_operands = list(start), [0] * n
    readers: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for u, v, w in differences:
        readers[u].append((v, w))
        open_operands[v] += 1
    ready = [u for u in range(n) if not open_operands[u]]
    while ready:
        u = ready.pop()
        for v, w in readers[u]:
            x[v] = max(x[v], x[u] + w)
            open_operands[v] -= 1
            if not open_operands[v]:
                ready.append(v)
    return x


def cheapest(x: Sequence[int], price: Sequence[int], most: Sequence[int],
             differences: Sequence[Difference]) -> list[int]:
    """The least values, none below ``x``, that satisfy all differences at the least cost ``sum(price * x)``.

    Parameters
    ----------
    x
        The least values that satisfy the differences.
    price
        Of a variable: a whole number, negative where raising it saves.
    most
        What a variable may not exceed.
    differences
        ``(u, v, w)`` for ``x[v] >= x[u] + w``.
    """
    x = list(x)
    while raised := _best_closure(x, price, most, differences):
        for v in raised:
            x[v] += 1
    return x


def _best_closure(x: Sequence[int], price: Sequence[int], most: Sequence[int],
                  differences: Sequence[Difference]) -> list[int]:
    """The variables whose raise by one saves most; none where nothing is saved. Who is raised raises what it pushes."""
    n = len(x)
    source, sink = n, n + 1
    heads: list[int] = []
    room: list[int] = []
    edges: list[list[int]] = [[] for _ in range(n + 2)]
    whole = sum(-p for p in price if p < 0) + 1

    def edge(u: int, v: int, capacity: int) -> None:
        edges[u].append(len(heads))
        heads.append(v)
        room.append(capacity)
        edges[v].append(len(heads))
        heads.append(u)
        room.append(0)

    for v in range(n):
        if x[v] >= most[v]:
            edge(v, sink, whole)
        elif price[v] < 0:
            edge(source, v, -price[v])
        elif price[v] > 0:
            edge(v, sink, price[v])
    for u, v, w in differences:
        if x[v] == x[u] + w:
            edge(u, v, whole)
    while (distance := _distances(source, sink, heads, room, edges))[sink] >= 0:
        _augment(source, sink, heads, room, edges, distance)
    return [v for v in range(n) if distance[v] >= 0]


def _distances(source: int, sink: int, heads: list[int], room: list[int], edges: list[list[int]]) -> list[int]:
    """Edges with room from the source to each node, -1 where there is no way; the sink's ends the search."""
    distance = [-1] * len(edges)
    distance[source] = 0
    queue = deque([source])
    while queue:
        u = queue.popleft()
        for e in edges[u]:
            v = heads[e]
            if room[e] and distance[v] < 0:
                distance[v] = distance[u] + 1
                if v == sink:
                    return distance
                queue.append(v)
    return distance


def _augment(source: int, sink: int, heads: list[int], room: list[int], edges: list[list[int]],
             distance: list[int]) -> None:
    """Fill shortest ways from the source to the sink until each of them is blocked."""
    place = [0] * len(edges)
    way: list[int] = []
    u = source
    while True:
        if u == sink:
            amount = min(room[e] for e in way)
            for e in way:
                room[e] -= amount
                room[e ^ 1] += amount
            first = next(i for i, e in enumerate(way) if not room[e])
            u = heads[way[first] ^ 1]
            del way[first:]
        elif place[u] < len(edges[u]):
            e = edges[u][place[u]]
            if room[e] and distance[heads[e]] == distance[u] + 1:
                way.append(e)
                u = heads[e]
            else:
                place[u] += 1
        elif way:
            e = way.pop()
            u = heads[e ^ 1]
            place[u] += 1
        else:
            return
