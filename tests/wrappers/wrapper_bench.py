"""Runs inside a simulator: transactions of a job into a wrapper, and what comes out of it against what is expected.

The job is a JSON file named by the variable JOB; see `simulation.py`. No output of a wrapper depends on an input within
a clock, so that at a falling edge the outputs of the clock are read and its inputs set.
"""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, Timer


class Packets:
    """A master that offers packets, each once and in order, with gaps; a packet that a reset cuts is not sent again."""

    def __init__(self, packets, gap, random):
        self.packets, self.gap, self.random = packets, gap, random
        self.packet, self.beat, self.offers = 0, 0, False

    @property
    def done(self):
        return self.packet == len(self.packets)

    def offer(self):
        """The beat of this clock, or None; one that is offered stays until it is taken."""
        if self.done:
            return None
        self.offers = self.offers or self.random.random() >= self.gap
        return self.packets[self.packet][self.beat] if self.offers else None

    def taken(self):
        """The beat was taken; returns the number of the packet where it was its last one."""
        self.offers, self.beat = False, self.beat + 1
        if self.beat < len(self.packets[self.packet]):
            return None
        self.beat, self.packet = 0, self.packet + 1
        return self.packet - 1

    def cut(self):
        """A reset: the next packet begins."""
        self.offers = False
        if self.beat:
            self.beat, self.packet = 0, self.packet + 1


class Stream:
    """The ports of the wrapper stream."""

    clock, reset, level, flags = "clk", "rst", 1, ()

    def __init__(self, dut):
        self.dut = dut

    def put(self, beat):
        self.dut.in_valid.value = beat is not None
        if beat is not None:
            self.dut.x.value = beat["data"]

    def ready(self):
        return int(self.dut.in_ready.value)

    def result(self):
        return {"data": int(self.dut.y.value)} if int(self.dut.out_valid.value) else None

    def take(self, ready):
        self.dut.out_ready.value = ready


class Axis:
    """The ports of the wrapper axis."""

    clock, reset, level, flags = "aclk", "aresetn", 0, ("short_packet", "long_packet")

    def __init__(self, dut):
        self.dut = dut

    def put(self, beat):
        self.dut.s_axis_tvalid.value = beat is not None
        if beat is not None:
            self.dut.s_axis_tdata.value = beat["data"]
            self.dut.s_axis_tkeep.value = beat["keep"]
            self.dut.s_axis_tlast.value = beat["last"]

    def ready(self):
        return int(self.dut.s_axis_tready.value)

    def result(self):
        if not int(self.dut.m_axis_tvalid.value):
            return None
        return {"data": int(self.dut.m_axis_tdata.value), "keep": int(self.dut.m_axis_tkeep.value),
                "last": int(self.dut.m_axis_tlast.value)}

    def take(self, ready):
        self.dut.m_axis_tready.value = ready


def job():
    return json.loads(Path(os.environ["JOB"]).read_text())


def report(**figures):
    Path(os.environ["JOB"]).with_suffix(".said.json").write_text(json.dumps(figures))


@cocotb.test()
async def stream_or_axis(dut):
    """Every good packet's result once and in order, held while it waits; every bad packet flagged; nothing after a reset."""
    said = job()
    bus = (Axis if said["kind"] == "axis" else Stream)(dut)
    chance = random.Random(said["seed"])
    master = Packets(said["packets"], said["gap"], chance)
    clock = getattr(dut, bus.clock)
    Clock(clock, 10, "ns").start()
    flags = dict.fromkeys(bus.flags, 0)
    expected, partial, results, lost_in_reset, clocks, idle = [], [], 0, 0, 0, 0
    held = None
    resets = set(said["resets"])
    bus.put(None)
    bus.take(0)
    await reset(dut, bus, clock)
    while idle < said["idle"]:
        await FallingEdge(clock)
        clocks += 1
        for flag in flags:
            flags[flag] += int(getattr(dut, flag).value)
        if clocks in resets:
            lost_in_reset += len(expected)
            expected, partial, held = [], [], None
            master.cut()
            bus.put(None)
            bus.take(1)
            await reset(dut, bus, clock)
            continue
        beat, ready, taking = master.offer(), bus.ready(), chance.random() >= said["stall"]
        bus.put(beat)
        bus.take(taking)
        result = bus.result()
        assert held is None or result == held, f"{held} was held and became {result}"
        held = result if result and not taking else None
        if result and taking:
            partial.append(result)
            if result.get("last", 1):
                assert expected, f"{partial} came though nothing is in flight"
                assert partial == expected.pop(0), f"result {results} is {partial}"
                results, partial = results + 1, []
        if beat and ready:
            ended = master.taken()
            if ended is not None and said["results"][ended] is not None:
                expected.append(said["results"][ended])
        idle = idle + 1 if master.done and not result else 0
    assert not expected and not partial, f"{len(expected)} results never came"
    report(results=results, lost_in_reset=lost_in_reset, clocks=clocks, flags=flags)


async def reset(dut, bus, clock):
    """Reset for three clocks, in which nothing is taken and no result is there after the first."""
    getattr(dut, bus.reset).value = bus.level
    await ClockCycles(clock, 2)
    await FallingEdge(clock)
    assert not bus.ready() and bus.result() is None
    getattr(dut, bus.reset).value = 1 - bus.level


@cocotb.test()
async def registered(dut):
    """Each valid input's result comes LATENCY + 2 enabled clocks later, and no other is valid."""
    said = job()
    chance = random.Random(said["seed"])
    Clock(dut.clk, 10, "ns").start()
    dut.ce.value, dut.in_valid.value, dut.x.value, dut.rst.value = 0, 0, 0, 1
    await ClockCycles(dut.clk, 2)
    sent, results = [None] * (said["latency"] + 2), 0
    inputs = list(zip((packet[0]["data"] for packet in said["packets"]), said["results"]))
    while inputs or any(out is not None for out in sent):
        await FallingEdge(dut.clk)
        dut.rst.value = 0
        enabled = chance.random() >= said["stall"]
        valid = bool(inputs) and chance.random() >= said["gap"]
        dut.ce.value, dut.in_valid.value = enabled, valid
        if valid:
            dut.x.value = inputs[0][0]
        if not enabled:
            continue
        out = sent.pop(0)
        assert int(dut.out_valid.value) == (out is not None)
        if out is not None:
            assert int(dut.y.value) == out
            results += 1
        sent.append(inputs.pop(0)[1][0]["data"] if valid else None)
    report(results=results)


@cocotb.test()
async def shift(dut):
    """Shift an image in, wait, shift the result out while the next image comes in."""
    said = job()
    Clock(dut.clk, 10, "ns").start()
    x, y, results = said["x"], said["y"], []
    await FallingEdge(dut.clk)
    for packet in [*said["packets"], [{"data": 0}]]:
        dut.shift.value, out = 1, []
        for k in range(max(x, y)):
            if k < y:
                out.append(dut.dout.value)
            dut.din.value = (packet[0]["data"] >> max(x, y) - 1 - k) & 1
            await FallingEdge(dut.clk)
        results.append(out)
        dut.shift.value = 0
        await ClockCycles(dut.clk, said["latency"] + 1)
        await FallingEdge(dut.clk)
    got = [int("".join(str(int(bit)) for bit in out), 2) for out in results[1:]]
    assert got == [result[0]["data"] for result in said["results"]]
    report(results=len(got))


@cocotb.test()
async def spi(dut):
    """Images in transactions, their results in the one after; truncated and long transactions have none."""
    said = job()
    chance = random.Random(said["seed"])
    Clock(dut.clk, 10, "ns").start()
    dut.sclk.value, dut.cs_n.value, dut.mosi.value, dut.rst.value = 0, 1, 0, 1
    await ClockCycles(dut.clk, 5)
    await FallingEdge(dut.clk)  # all times below are from falling edges on
    dut.rst.value = 0
    size, answer = -(-said["x"] // 8), said["y"] // 8 + 1
    fresh, results, silent = None, 0, 0
    for packet, result in zip([*said["packets"], [{"data": 0, "bytes": answer + (answer == size)}]], [*said["results"], None]):
        count = packet[0]["bytes"]
        out = await transfer(dut, packet[0]["data"].to_bytes(count, "big"), chance.randint(5, 8))
        if count >= answer:
            word = int.from_bytes(out[:answer], "big")
            assert word >> 8 * answer - 1 == (fresh is not None)
            if fresh is not None:
                assert word & (1 << 8 * answer - 1) - 1 == fresh
                results += 1
            else:
                silent += 1
            fresh = None
        if count == size:
            fresh = result[0]["data"]
        await clocks(said["latency"] + chance.randint(6, 30))
    report(results=results, silent=silent)


async def clocks(count):
    """So many clocks; timers are faster, but beside a clock they crash Verilator 5.006."""
    if "verilator" in cocotb.SIM_NAME.lower():
        await ClockCycles(cocotb.top.clk, count)
    else:
        await Timer(10 * count, "ns")


async def transfer(dut, octets, half):
    """One transaction, ``half`` clocks of clk for each half of sclk; returns what came back."""
    dut.cs_n.value = 0
    await clocks(half)
    bits = []
    for octet in octets:
        for k in range(7, -1, -1):
            dut.mosi.value = octet >> k & 1
            await clocks(half)
            bits.append(str(dut.miso.value))
            dut.sclk.value = 1
            await clocks(half)
            dut.sclk.value = 0
    await clocks(half)
    dut.cs_n.value = 1
    assert bits[0] in "01"
    text = "".join(bit if bit in "01" else "1" for bit in bits)  # before the first result the rest is undefined
    return bytes(int(text[k : k + 8], 2) for k in range(0, len(text), 8))


@cocotb.test()
async def uart(dut):
    """Images as bytes with the baud rate off by up to 2 %; an image that is cut or broken is flagged and has no answer."""
    said = job()
    chance = random.Random(said["seed"])
    Clock(dut.clk, 10, "ns").start()
    dut.rx.value, dut.rst.value = 1, 1
    await ClockCycles(dut.clk, 5)
    await FallingEdge(dut.clk)  # all times below are from falling edges on
    dut.rst.value = 0
    divider, answers, drops = said["divider"], [], [0]
    cocotb.start_soon(listen(dut, divider, answers))
    cocotb.start_soon(count(dut.dropped, drops))
    await clocks(25 * divider)
    size = -(-said["x"] // 8)
    for packet in said["packets"]:
        octets = packet[0]["data"].to_bytes(size, "little")[: packet[0]["bytes"]]
        time = divider * (1 + chance.uniform(-0.02, 0.02))
        for k, octet in enumerate(octets):
            stop = 0 if k == packet[0].get("broken") else 1
            await send(dut, octet, stop, time)
            if chance.random() < said["gap"]:
                await clocks(chance.randint(1, 10) * divider)
        bad = packet[0]["bytes"] < size or "broken" in packet[0]
        answer = 11 * -(-said["y"] // 8) if size <= -(-said["y"] // 8) else 0
        await clocks((25 if bad else answer + chance.randint(0, 3)) * divider + 1)
    await clocks(40 * divider * (1 + said["y"] // 8))
    size = -(-said["y"] // 8)
    got = [int.from_bytes(bytes(answers[k : k + size]), "little") for k in range(0, len(answers), size)]
    assert got == [result[0]["data"] for result in said["results"] if result is not None]
    report(results=len(got), drops=drops[0])


async def send(dut, octet, stop, time):
    frame, done = [0, *(octet >> k & 1 for k in range(8)), stop], 0
    for k, bit in enumerate(frame):
        dut.rx.value = bit
        end = round((k + 1) * time)
        await clocks(end - done)
        done = end
    dut.rx.value = 1


async def listen(dut, divider, octets):
    while True:
        await FallingEdge(dut.tx)
        await clocks(divider + divider // 2)
        octet = 0
        for k in range(8):
            octet |= int(dut.tx.value) << k
            await clocks(divider)
        assert int(dut.tx.value) == 1, "a byte without its stop bit"
        octets.append(octet)


async def count(flag, total):
    while True:
        await RisingEdge(flag)
        total[0] += 1
