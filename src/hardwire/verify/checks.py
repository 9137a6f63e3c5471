"""Every check that applies to a circuit, in one table."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from ..backends import BACKENDS
from ..circuit import Circuit
from ..circuit.engine.packed import PackedEngine
from ..core.errors import MissingToolError, ToolError
from ..core.verdict import Verdict
from .c import read_back_c
from .coverage import coverage_vectors, odd_tail
from .equivalence import prove, prove_macros
from .program import prove_program
from .readback import read_back
from .vectors import Codes, Executor, check_backend, vectors

#: Levels of logic between the registers of the pipeline that is checked.
PIPELINE = 4
#: Samples of the first calls of compiled C: odd tails, with and without 64 samples before them.
BATCHES = (1, 7, 8, 63, 64, 65, 100)
#: Random and corner vectors beside the samples and those of ``coverage_vectors``.
VECTORS = 512


def checks_of(circuit: Circuit, codes: Codes, *, against: Circuit | None = None,
              network: Executor | None = None) -> dict[str, Callable[[], Verdict]]:
    """Every check that applies to ``circuit``, by name; the parameters are those of ``verify_circuit``.

    Text is proved equal through Yosys; what runs is simulated on ``codes``, a simulator of Verilog on the last of them.
    """
    checks: dict[str, Callable[[], Verdict]] = {}
    if network is not None:
        checks["trained network"] = partial(check_backend, circuit, network, codes)
    if against is not None:
        checks["optimized gates"] = partial(prove, against, circuit)
    return checks | {
        "macros": lambda: prove_macros(circuit),
        "verilog read back": lambda: prove(circuit, read_back(circuit)),
        "verilog pipelined read back": lambda: prove(circuit, read_back(circuit, pipeline=PIPELINE)),
        "packed program read back": lambda: prove_program(circuit),
        "packed engine": lambda: check_backend(circuit, PackedEngine(circuit), codes),
        "c read back": lambda: prove(circuit, read_back_c(circuit)),
        "c one sample read back": lambda: prove(circuit, read_back_c(circuit, entry="one")),
        "c": partial(_simulate, "c", circuit, codes, batches=BATCHES),
        "c one sample": partial(_simulate, "c", circuit, codes, entry="one", optimize="-O0"),
        "verilog rtl": partial(_simulate, "verilog", circuit, codes[-1024:]),
        "verilog pipelined rtl": partial(_simulate, "verilog", circuit, codes[-128:], pipeline=PIPELINE),
    }


def _simulate(backend: str, circuit: Circuit, codes: Codes, **options: Any) -> Verdict:
    run = BACKENDS[backend].run
    if run is None:
        raise ToolError(f"what back end {backend} writes cannot be run here")
    return check_backend(circuit, partial(run, circuit, **options), codes)


def verify_circuit(circuit: Circuit, *, against: Circuit | None = None, network: Executor | None = None,
                   samples: Codes | None = None, seed: int = 0,
                   progress: Callable[[str], None] | None = None) -> dict[str, Verdict]:
    """Run every check that applies to ``circuit``.

    Parameters
    ----------
    circuit
        The circuit that is checked.
    against
        Prove equality with this circuit, the raw one say.
    network
        Simulate the circuit against this executor, the trained network.
    samples
        Codes or physical values to simulate beside covering and random vectors, shape (samples, words).
    seed
        Of the vectors.
    progress
        Called with a line before the verdict of each check is waited for.

    Returns
    -------
    dict
        ``{name: verdict}``. A check whose tool is missing is skipped and says why.
    """
    codes = vectors(circuit, VECTORS, seed=seed)
    if samples is not None:
        codes = np.concatenate([circuit.codes(samples), codes])
    covering = coverage_vectors(circuit, seed=seed, samples=codes)
    codes = odd_tail(circuit, np.concatenate([codes, covering]), seed)
    checks, verdicts = checks_of(circuit, codes, against=against, network=network), {}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        # the last are those of outside tools, which take longest
        running = {name: pool.submit(run_check, check) for name, check in reversed(checks.items())}
        for name in checks:
            if progress:
                progress(f"verify: {name}")
            verdicts[name] = running[name].result()
    return verdicts


def run_check(check: Callable[[], Verdict]) -> Verdict:
    """Run one check: a missing tool skips it, and what a tool refused is unknown."""
    try:
        return check()
    except MissingToolError as error:
        return Verdict("skipped", detail=str(error))
    except ToolError as error:
        return Verdict("unknown", detail=str(error))
