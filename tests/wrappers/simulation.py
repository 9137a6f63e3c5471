"""Jobs for the bench that runs inside a simulator, and the simulators: Icarus Verilog and Verilator, driven by cocotb."""

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from hardwire.backends.verilog.wrappers import emit_wrapped
from hardwire.circuit.simulate import simulate
from hardwire.core.bits import codes_to_bits

try:
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import Icarus, Verilator
except ImportError:  # the tests skip
    Icarus = Verilator = None

MAIN = Path(__file__).parent / "verilator_main.cpp"


def missing(simulator):
    """What is not installed for a simulation, or an empty text."""
    if Icarus is None:
        return "cocotb is not installed: pip install cocotb"
    program = "iverilog" if simulator == "icarus" else "verilator"
    return "" if shutil.which(program) else f"{program} was not found: install the Debian package {program}"


def numbers(codes, widths):
    """Each row of codes as one number, the first word in the lowest bits."""
    bits = codes_to_bits(codes, widths)
    return [int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little") for row in bits]


def beats(number, bits, width):
    """A number as beats of a bus of ``width`` bits."""
    count = -(-bits // width)
    rest = -(-(bits - (count - 1) * width) // 8)
    return [{"data": number >> k * width & (1 << width) - 1,
             "keep": (1 << rest) - 1 if k == count - 1 else (1 << width // 8) - 1, "last": int(k == count - 1)}
            for k in range(count)]


def job_of(circuit, kind, codes, *, latency, seed=0, gap=0.3, stall=0.3, bus_width=32, divider=16, bad=0.0, resets=0):
    """A job: what is sent, and for each packet what comes back, None for one that is dropped.

    ``bad`` is the share of malformed packets, ``resets`` the number of resets in the middle.
    """
    chance = random.Random(seed)
    x, y = circuit.n_input_bits, sum(circuit.output_widths)
    images, classes = numbers(codes, circuit.input_widths), numbers(simulate(circuit, codes), circuit.output_widths)
    packets, results, flags = [], [], {"short_packet": 0, "long_packet": 0}
    for image, result in zip(images, classes):
        width = bus_width if kind == "axis" else x
        packet = beats(image, x, width) if kind == "axis" else [{"data": image, "bytes": -(-x // 8)}]
        wrong = chance.random() < bad
        if wrong:
            spoil(packet, kind, chance, flags, x, width)
        packets.append(packet)
        results.append(None if wrong else beats(result, y, bus_width) if kind == "axis" else [{"data": result}])
    if kind == "axis":
        for packet in packets:  # bits past the image, and bytes that are not kept, hold anything
            packet[-1]["data"] |= chance.getrandbits(bus_width) << max(0, x - (len(packet) - 1) * bus_width) & (1 << bus_width) - 1
    times = sorted(chance.sample(range(20, 20 + 2 * sum(map(len, packets))), resets))
    return {"kind": kind, "x": x, "y": y, "latency": latency, "seed": seed, "gap": gap, "stall": stall, "divider": divider,
            "packets": packets, "results": results, "resets": times, "idle": 4 * latency + 20}, flags


def spoil(packet, kind, chance, flags, x, width):
    """Make a packet malformed: cut short, too long, or with a byte that is missing."""
    if kind == "spi":
        packet[0]["bytes"] += chance.choice([-1, 1])
        packet[0]["data"] &= (1 << 8 * packet[0]["bytes"]) - 1
    elif kind == "uart":
        size = packet[0]["bytes"]
        packet[0].update({"bytes": chance.randint(1, size - 1)} if size > 1 and chance.random() < 0.5
                         else {"broken": chance.randrange(size)})
    else:
        how = chance.choice(["short", "long", "hole"] if len(packet) > 1 else ["long", "hole"])
        flags["long_packet" if how == "long" else "short_packet"] += 1
        if how == "short":
            del packet[chance.randint(1, len(packet) - 1) :]
            packet[-1]["last"] = 1
        elif how == "long":
            packet[-1]["last"] = 0
            for _ in range(chance.choice([1, 1, 2, 2 * len(packet), 3 * len(packet) + 1])):
                packet.append({"data": chance.getrandbits(width), "keep": chance.getrandbits(width // 8), "last": 0})
            packet[-1]["last"] = 1
        else:
            beat = chance.choice(packet)
            bits = [k for k in range(width // 8) if beat["keep"] >> k & 1]
            beat["keep"] &= ~(1 << chance.choice(bits))


def simulated(circuit, job, folder, simulator="icarus", *, name="core", **options):
    """Emit the circuit in the job's wrapper, run the job, and return what the bench says of it."""
    rtl, kind = folder / "rtl", job["kind"]
    emit_wrapped(circuit, rtl, kind=kind, name=name, **options)
    sources = sorted(path for path in rtl.glob("*.v") if not path.stem.endswith("_tb"))
    file = folder / "job.json"
    file.write_text(json.dumps(job))
    runner = Icarus() if simulator == "icarus" else OldVerilator() if old_verilator() else Verilator()
    top, test = f"{name}_{kind}", "stream_or_axis" if kind in ("stream", "axis") else kind
    arguments = [] if simulator == "icarus" else ["-Wno-fatal", "-O3", "-CFLAGS", "-O1"]
    runner.build(sources=sources, hdl_toplevel=top, build_dir=folder / "build", build_args=arguments,
                 timescale=("1ns", "1ps"), log_file=folder / "build.log")
    results = runner.test(
        test_module="wrapper_bench", hdl_toplevel=top, build_dir=folder / "build", test_dir=folder, test_filter=rf"\.{test}$",
        log_file=folder / "run.log", extra_env={"JOB": str(file), "COCOTB_LOG_LEVEL": "WARNING", "PYTHONPATH": str(Path(__file__).parent)}
        | ({"COCOTB_TRUST_INERTIAL_WRITES": "0"} if isinstance(runner, OldVerilator) else {}))
    assert get_results(results) == (1, 0), (folder / "run.log").read_text()[-3000:]
    return json.loads(file.with_suffix(".said.json").read_text())


def old_verilator():
    """Whether Verilator is older than 5.036, the oldest release that cocotb's own loop works with."""
    said = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) < (5, 36)


if Verilator is not None:

    class OldVerilator(Verilator):
        """Verilator with the loop of `verilator_main.cpp` in place of cocotb's."""

        def _build_command(self):
            return [[str(MAIN) if word.endswith("verilator.cpp") else word for word in command]
                    for command in super()._build_command()]
