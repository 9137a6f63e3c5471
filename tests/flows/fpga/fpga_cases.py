"""Designs for the FPGA flow, and programs that stand in for nextpnr."""

import json

from hardwire.flows.fpga.netlist import core_verilog, read_inputs, top_verilog, wrapper_verilog
from hardwire.flows.fpga.primitives import FAMILIES

REPORT = {
    "fmax": {"clk": {"achieved": 123.5, "constraint": 100.0}},
    "utilization": {"TRELLIS_COMB": {"available": 24288, "used": 7}, "TRELLIS_FF": {"available": 24288, "used": 5}},
    "critical_paths": [
        {"from": "<async>", "to": "posedge clk", "path": [{"type": "routing", "delay": 9.0, "from": {"cell": "a", "port": "O"}, "to": {"cell": "b", "port": "A"}}]},
        {"from": "posedge clk", "to": "posedge clk", "path": [
            {"type": "clk-to-q", "delay": 0.5, "from": {"cell": "core.input_3_r0"}, "to": {"cell": "core.input_3_r0"}},
            {"type": "routing", "delay": 2.0, "from": {"cell": "core.input_3_r0"}, "to": {"cell": "core.network_9"}},
            {"type": "logic", "delay": 0.25, "from": {"cell": "core.network_9"}, "to": {"cell": "core.network_9"}},
            {"type": "routing", "delay": 1.0, "from": {"cell": "core.network_9"}, "to": {"cell": "core.head_11_r2"}},
            {"type": "setup", "delay": 0.125, "from": {"cell": "core.head_11_r2"}, "to": {"cell": "core.head_11_r2"}}]}],
}


def write_sources(folder, pipelined, target):
    """The three texts that synthesis reads."""
    for name, text in (("core.v", core_verilog(pipelined, FAMILIES[target])), ("wrapper.v", wrapper_verilog()),
                       ("top.v", top_verilog(max(1, len(read_inputs(pipelined.cover))), len(pipelined.outputs)))):
        (folder / name).write_text(text)


def fake_nextpnr(folder, text="", *, report=REPORT, log="Info: Routing complete.", result="routed", version='"nextpnr-ecp5" (Version 9.9)'):
    """A program that leaves what nextpnr leaves; ``text`` is shell that runs first. It counts its runs in ``runs``."""
    (folder / "report.in").write_text(report if isinstance(report, str) else json.dumps(report))
    path = folder / "nextpnr-fake"
    path.write_text(f"""#!/bin/sh
if [ "$1" = --version ]; then echo '{version}'; exit 0; fi
echo run >> {folder}/runs
{text}
while [ $# -gt 0 ]; do
  case "$1" in
    --report) cat {folder}/report.in > "$2" ;;
    --textcfg|--asc) printf '%s' '{result}' > "$2" ;;
    --json) netlist="$2" ;;
    --write) cp "$netlist" "$2" ;;
    --log) echo '{log}' > "$2" ;;
  esac
  shift
done
echo '{log}'
""")
    path.chmod(0o755)
    return path
