"""What every row of the table of back ends promises."""

import inspect

import numpy as np
import pytest
from circuits import CIRCUITS, samples

from hardwire.backends import BACKENDS
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError, MissingToolError


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]


def test_emit_returns_what_it_writes(backend, tmp_path):
    paths = backend.emit(CIRCUITS["classifier"](), tmp_path / "new", name="net")
    assert paths[0].stem == "net" and sorted(paths) == sorted((tmp_path / "new").iterdir())


def test_run_is_the_interpreter(backend):
    circuit = CIRCUITS["lut6"]()
    codes = samples(circuit, 30)
    if backend.run is None:
        pytest.skip(f"nothing here executes what is written for {backend.title}; the core in it is Verilog")
    try:
        got = backend.run(circuit, codes)
    except MissingToolError as error:
        pytest.skip(str(error))
    assert got.dtype == circuit.output_dtype
    np.testing.assert_array_equal(got, simulate(circuit, codes))


def test_the_row_says_whether_there_are_registers(backend):
    for function in filter(None, (backend.emit, backend.run)):
        assert ("pipeline" in inspect.signature(function).parameters) == backend.pipeline
    assert set(backend.options) <= inspect.signature(backend.emit).parameters.keys()


def test_a_circuit_without_outputs_is_refused(backend, tmp_path):
    circuit = CIRCUITS["classifier"]().with_(outputs=(), output_nets=np.zeros(0, np.int32))
    with pytest.raises(InputError, match="has no outputs; add one before emitting"):
        backend.emit(circuit, tmp_path)
