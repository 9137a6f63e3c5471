"""Every check that applies to a circuit, in one table."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from ..backends import BACKENDS
from ..circuit import Circuit
from ..circuit.engine.packed import PackedEngine
from ..core import programs
from ..core.errors import ToolError
from ..core.verdict import Verdict
from .c import read_back_c, read_back_model
from .check import Check, bound, failure, run_check
from .coverage import coverage_vectors, odd_tail
from .emitted import BATCHES, Emission, emitted_checks
from .equivalence import prove, prove_macros
from .program import prove_program
from .readback import read_back
from .vectors import Codes, Executor, check_backend, vectors
from .wasm import read_back_wasm

#: Levels of logic between the registers of the pipeline that is checked.
PIPELINE = 4
#: Random and corner vectors beside the samples and those of ``coverage_vectors``.
VECTORS = 512


def checks_of(circuit: Circuit, codes: Codes, *, against: Circuit | None = None,
              network: Executor | None = None, emitted: Sequence[Emission] = ()) -> dict[str, Check]:
    """Every check that applies to ``circuit``, by name; the parameters are those of ``verify_circuit``.

    Text is proved equal through Yosys; what runs is simulated on ``codes``, a simulator of Verilog on the last of them.
    """
    checks: dict[str, Check] = {}
    if network is not None:
        checks["trained network"] = Check(partial(check_backend, circuit, network, codes))
    if against is not None:
        checks["optimized gates"] = Check(partial(prove, against, circuit), against.digest)
    checks |= {
        "macros": Check(lambda: prove_macros(circuit)),
        "verilog read back": Check(lambda: prove(circuit, read_back(circuit)), tool=programs.YOSYS),
        "verilog pipelined read back": Check(lambda: prove(circuit, read_back(circuit, pipeline=PIPELINE)),
                                             tool=programs.YOSYS),
        "packed program read back": Check(lambda: prove_program(circuit)),
        "packed engine": Check(lambda: check_backend(circuit, PackedEngine(circuit), codes)),
        "c read back": Check(lambda: prove(circuit, read_back_c(circuit))),
        "c one sample read back": Check(lambda: prove(circuit, read_back_c(circuit, entry="one"))),
        "wasm read back": Check(lambda: prove(circuit, read_back_wasm(circuit))),
        "c": Check(partial(_simulate, "c", circuit, codes, batches=BATCHES), tool=programs.CC),
        "c model read back": Check(lambda: prove(circuit, read_back_model(circuit))),
        "c model": Check(partial(_simulate, "c", circuit, codes, entry="model", optimize="-O0"), tool=programs.CC),
        "c one sample": Check(partial(_simulate, "c", circuit, codes, entry="one", optimize="-O0"), tool=programs.CC),
        "verilog rtl": Check(partial(_simulate, "verilog", circuit, codes[-1024:]), tool=programs.IVERILOG),
        "verilog pipelined rtl": Check(partial(_simulate, "verilog", circuit, codes[-128:], pipeline=PIPELINE),
                                       tool=programs.IVERILOG),
    }
    for emission in emitted:
        checks |= emitted_checks(circuit, emission, codes)
    return checks


def _simulate(backend: str, circuit: Circuit, codes: Codes, **options: Any) -> Verdict:
    run = BACKENDS[backend].run
    if run is None:
        raise ToolError(f"what back end {backend} writes cannot be run here")
    return check_backend(circuit, partial(run, circuit, **options), codes)


def verify_circuit(circuit: Circuit, *, against: Circuit | None = None, network: Executor | None = None,
                   samples: Codes | None = None, emitted: Sequence[Emission] = (), seed: int = 0,
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
    emitted
        Prove these files, as they stand on disk.
    seed
        Of the vectors.
    progress
        Called with a line before the verdict of each check is waited for.

    Returns
    -------
    dict
        ``{name: verdict}``. A check whose tool is missing is skipped and says why; one that fails in any other way is
        unknown, and the others go on.
    """
    codes = vectors(circuit, VECTORS, seed=seed)
    if samples is not None:
        codes = np.concatenate([circuit.codes(samples), codes])
    failed: dict[str, Verdict] = {}
    try:
        codes = np.concatenate([codes, coverage_vectors(circuit, seed=seed, samples=codes)])
    except Exception as error:  # the other vectors and the proofs go on without these
        failed = {"covering vectors": failure(error)}
    codes = odd_tail(circuit, codes, seed)
    checks = checks_of(circuit, codes, against=against, network=network, emitted=emitted)
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        # the last are those of outside tools, which take longest
        running = {name: pool.submit(_verdict, check) for name, check in reversed(checks.items())}
        return failed | {name: _result(name, running[name], progress) for name in checks}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # where it is interrupted, no other check begins


def _verdict(check: Check) -> Verdict:
    return bound(run_check(check.run), check)


def _result(name: str, running: Future[Verdict], progress: Callable[[str], None] | None) -> Verdict:
    if progress:
        progress(f"verify: {name}")
    return running.result()
