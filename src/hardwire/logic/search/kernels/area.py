"""Kernels: reference counts, the price of a node's gate, and what a substitution adds and frees.

A maximum fanout-free cone is dereferenced and referenced as in logic synthesis: a node that nothing reads any more
frees its gate and dereferences its operands.
"""

import numpy as np

from ....core.jit import inner, jit

#: Tables of a wire and of an inverter over two operands.
A, NOT_A = np.uint64(0b1010), np.uint64(0b0101)


@inner
def uses(table, k, j):
    """Whether a table of ``k`` operands depends on operand ``j``."""
    step = 1 << j
    for address in range(1 << k):
        if not address & step and (table >> np.uint64(address) ^ table >> np.uint64(address + step)) & np.uint64(1):
            return True
    return False


@inner
def support(table, k):
    """How many operands a table depends on."""
    count = 0
    for j in range(k):
        count += uses(table, k, j)
    return count


@inner
def gate_area(price, table, k):
    """The price of one node: constants, wires and inverters are free, the latter folded into their readers."""
    if len(price.gate) and k == 2:
        return price.gate[table]
    return price.table[support(table, k)]


@inner
def reference_operands(net, price, refs, stack, x, change):
    """Reference the operands of node ``x``, or dereference them for ``change`` -1; returns what comes alive or dies.

    ``refs`` are the counts that change; the area is that of all nets below the node that are read first or no more.
    """
    area, top, turning = 0.0, 1, change > 0
    stack[0] = x
    while top:
        top -= 1
        y = stack[top]
        for j in range(net.arity[y]):
            z = net.fanin[y, j]
            if not uses(net.table[y], net.arity[y], j):
                continue
            refs[z] += change
            if refs[z] == turning:
                if net.place[z] < 0:
                    area += np.float64(price.input[z])
                else:
                    area += np.float64(net.area[z])
                    stack[top] = z
                    top += 1
    return area


@inner
def reference(net, price, refs, stack, x, change):
    """The same for net ``x`` itself, by one reader."""
    refs[x] += change
    if refs[x] != (change > 0):
        return 0.0
    if net.place[x] < 0:
        return np.float64(price.input[x])
    return np.float64(net.area[x]) + reference_operands(net, price, refs, stack, x, change)


@inner
def without_unread(a, b, table):
    """A two-input function spelled so that what it does not depend on is not read: operands and table."""
    on_a, on_b = uses(table, 2, 0), uses(table, 2, 1)
    if on_a and on_b:
        return a, b, table
    if on_a:
        return a, a, A if table & np.uint64(2) else NOT_A
    if on_b:
        return b, b, A if table & np.uint64(4) else NOT_A
    return 0, 0, table


@inner
def constant(net, x):
    """Whether node ``x`` is a constant."""
    whole = ~np.uint64(0) if net.arity[x] == 6 else (np.uint64(1) << np.uint64(1 << net.arity[x])) - np.uint64(1)
    return net.table[x] == 0 or net.table[x] == whole


@inner
def slots_of(net, x):
    """How many output slots read net ``x``."""
    count, slot = 0, net.slot_first[x]
    while slot >= 0:
        count += 1
        slot = net.slot_next[slot]
    return count


@jit
def recount(net, price):
    """Set ``refs`` and ``area`` anew; returns the price of the whole network."""
    net.refs[:] = 0
    total = 0.0
    for x in range(len(net.refs)):
        slots = slots_of(net, x)
        net.refs[x] = slots
        if slots and not (net.place[x] >= 0 and constant(net, x)):
            total += slots * price.slot[0]
    for i in range(net.size[0] - 1, -1, -1):
        x = net.order[i]
        net.area[x] = gate_area(price, net.table[x], net.arity[x])
        if net.refs[x] == 0:
            continue
        total += net.area[x]
        for j in range(net.arity[x]):
            if uses(net.table[x], net.arity[x], j):
                net.refs[net.fanin[x, j]] += 1
    for x in range(net.inputs[0]):
        if net.refs[x]:
            total += price.input[x]
    return total


@inner
def sort_nodes(net, stack):
    """Set ``order`` and ``place`` of all nodes by depth-first search from each; ``stack`` holds two numbers a node."""
    n = net.size[0]
    for i in range(n):
        stack[i] = net.order[i]
        net.place[net.order[i]] = -2
    roots = stack[:n].copy()
    done = 0
    for r in roots:
        if net.place[r] != -2:
            continue
        top = 0
        stack[0], stack[1] = r, 0
        while top >= 0:
            x, j = stack[2 * top], stack[2 * top + 1]
            if j == net.arity[x]:
                net.place[x], net.order[done] = done, x
                done += 1
                top -= 1
                continue
            stack[2 * top + 1] = j + 1
            y = net.fanin[x, j]
            if net.arity[y] and net.place[y] == -2:
                top += 1
                stack[2 * top], stack[2 * top + 1] = y, 0


@jit
def measure_paths(net):
    """Set ``level`` of all nets, and ``height`` from live ones; wires and inverters count as nodes."""
    for i in range(net.size[0]):
        x = net.order[i]
        level = 0
        for j in range(net.arity[x]):
            level = max(level, net.level[net.fanin[x, j]])
        net.level[x] = level + 1
        net.height[x] = 0
    for i in range(net.size[0] - 1, -1, -1):
        x = net.order[i]
        if net.refs[x] > 0:
            for j in range(net.arity[x]):
                y = net.fanin[x, j]
                net.height[y] = max(net.height[y], net.height[x] + 1)


@jit
def wake_prices(net, price, wake):
    """``wake``: of every dead net what its cone adds when something reads it, of live ones 0; an upper bound."""
    for x in range(net.inputs[0]):
        wake[x] = price.input[x] if net.refs[x] == 0 else 0
    for i in range(net.size[0]):
        x = net.order[i]
        wake[x] = 0
        if net.refs[x] == 0:
            wake[x] = net.area[x]
            for j in range(net.arity[x]):
                wake[x] += wake[net.fanin[x, j]]
