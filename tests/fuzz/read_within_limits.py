"""Read files, each in a process of its own with 5 s of processor time and 1 GB more memory than before; a line for each.

A program, not a test: ``python read_within_limits.py FILE...``.
"""

import os
import resource
import signal
import sys
import traceback
from pathlib import Path

from hardwire.circuit import load_circuit
from hardwire.circuit.formats.aiger import read_aiger
from hardwire.circuit.formats.blif import read_blif
from hardwire.core.errors import HardwireError
from hardwire.cost.liberty import read_liberty


def circuit(read):
    return lambda path: read(path).digest


def library(path):
    return [cell.combinational for cell in read_liberty(path).cells.values()]


READERS = {".net": circuit(load_circuit), ".aig": circuit(read_aiger), ".aag": circuit(read_aiger),
           ".blif": circuit(read_blif), ".lib": library, ".gz": library, ".xz": library}


def read(path):
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 30),) * 2)
    signal.setitimer(signal.ITIMER_PROF, 5)
    try:
        READERS[Path(path).suffix](path)
        print("ok", flush=True)
    except HardwireError as error:
        print(f"refused {error}", flush=True)
    except BaseException as error:
        traceback.print_exc()
        print(f"failed {error!r}", flush=True)


for path in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        read(path)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        print(f"failed by signal {status}", flush=True)
