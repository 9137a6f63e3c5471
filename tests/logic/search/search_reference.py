"""The search's quantities recomputed from nothing, in plain NumPy: what every kernel is held to."""

import numpy as np

from hardwire.core.bits import Planes, unpack
from hardwire.core.truth_tables import evaluate


def values_of(search, forced=None):
    """All nets' bits (nets, samples); ``forced`` (net, bit) fixes one net."""
    net, n = search.net, search.samples.samples
    bits = np.zeros((len(net.refs), n), bool)
    bits[: search.inputs] = unpack(Planes(net.values[: search.inputs], n)).T
    for x in net.order[: net.size[0]]:
        operands = [bits[y].astype(np.uint64) * ~np.uint64(0) for y in net.fanin[x, : net.arity[x]]]
        bits[x] = (evaluate(int(net.table[x]), operands) & np.uint64(1)).astype(bool)
        if forced is not None and forced[0] == x:
            bits[x] = forced[1]
    return bits


def losses(search, bits):
    """Loss of every sample."""
    net, loss, n = search.net, search.state_loss, search.samples.samples
    count = np.zeros((search.groups, n))
    for x in np.flatnonzero(net.slot_first >= 0):
        slot = net.slot_first[x]
        while slot >= 0:
            count[net.slot_group[slot]] += bits[x]
            slot = net.slot_next[slot]
    q = loss.q[:, :n].astype(float)
    if search.samples.task == "regress":
        return 0.5 * ((loss.level[:, None] + loss.gain[:, None] * count - q) ** 2).sum(0)
    z = (count - loss.level[:, None]) / search.tau
    if search.samples.task == "multilabel":
        return (np.logaddexp(0, z) - q * z).sum(0)
    return np.log(np.exp(z - z.max(0)).sum(0)) + z.max(0) - (q * z).sum(0)


def differences(search, root):
    """``loss(root = 1) - loss(root = 0)`` of every sample."""
    return losses(search, values_of(search, (root, True))) - losses(search, values_of(search, (root, False)))


def price(search):
    """Price of the present network: live gates, output bits that are not constant, and encoder bits that are read."""
    net, prices = search.net, search.price
    live = set()
    stack = [int(x) for x in np.flatnonzero(net.slot_first >= 0)]
    total = 0.0
    for x in stack:
        constant = int(net.table[x]) in (0, (1 << (1 << int(net.arity[x]))) - 1) and x >= search.inputs
        slot = net.slot_first[x]
        while slot >= 0:
            total += 0 if constant else float(prices.slot[0])
            slot = net.slot_next[slot]
    while stack:
        x = stack.pop()
        if x in live:
            continue
        live.add(x)
        if x < search.inputs:
            total += float(prices.input[x])
            continue
        k, table = int(net.arity[x]), int(net.table[x])
        used = [j for j in range(k)
                if any((table >> a ^ table >> (a | 1 << j)) & 1 for a in range(1 << k) if not a >> j & 1)]
        total += float(prices.gate[table]) if len(prices.gate) else float(prices.table[len(used)])
        stack += [int(net.fanin[x, j]) for j in used]
    return total
