"""Exchange of layers through NIR, the Neuromorphic Intermediate Representation; units are converted here alone.

Here times are milliseconds, and an input spike moves a membrane by the synapse's weight at once. NIR's leaky
integrate-and-fire neuron is ``tau dv/dt = (v_leak - v) + R I`` with tau in seconds, and a spike is an impulse of area 1
in I: it moves v by ``R / tau`` times the weight. So ``tau = membrane_ms / 1000`` and ``R = tau``.

A graph is ``input -> synapses (Affine) -> neurons (LIF) -> output``. The affine part's offset is the bias input: it
fires once a step, a current of ``w_bias / step`` (seconds). What NIR has no node for is told in the graph's metadata
and not in its nodes: that one output fires at a time and resets all. The soft winner-take-all is no neuron of NIR's;
its graph ends with the potentials before the draw: ``gain u - theta`` of inputs that are 1 while they are active.
"""

import io
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.errors import FormatError, InputError, MissingToolError
from ..core.files import write_bytes
from ..core.reading import read_bytes
from .network import OneSidedNetwork

if TYPE_CHECKING:
    from .training import Model

Reals = NDArray[np.float64]
MS_PER_S = 1000.0
#: Bytes of an array in a file.
LARGEST_ARRAY = 256 << 20


@dataclass(frozen=True)
class Layer:
    """One layer of leaky integrate-and-fire neurons in this project's units; without ``membrane_ms`` an affine one.

    Attributes
    ----------
    w, bias
        (inputs, outputs), and (outputs,) what each step adds.
    membrane_ms, threshold, reset
        (outputs,), time constant and potentials.
    """

    w: NDArray[np.float32]
    bias: NDArray[np.float32]
    membrane_ms: Reals | None = None
    threshold: Reals | None = None
    reset: Reals | None = None

    def run(self, spikes: NDArray[Any], step_ms: float, v: ArrayLike | None = None) -> tuple[NDArray[np.bool_], Reals]:
        """Return output spikes (steps, outputs) and the last potentials.

        Parameters
        ----------
        spikes
            (steps, inputs), of the inputs.
        step_ms
            Length of a step.
        v
            Potentials at the beginning, (outputs,); None: 0.
        """
        if self.membrane_ms is None or self.threshold is None or self.reset is None:
            raise InputError("this layer is affine and has no neurons to run; import a graph with LIF neurons")
        potential = np.zeros(self.w.shape[1]) if v is None else np.array(v, np.float64)
        keep, fired = np.exp(-step_ms / self.membrane_ms), np.zeros((len(spikes), len(potential)), bool)
        for t, active in enumerate(spikes):
            potential = potential * keep + active @ self.w + self.bias
            fired[t] = potential > self.threshold
            potential[fired[t]] = self.reset[fired[t]]
        return fired, potential


def _nir() -> Any:
    try:
        import nir
    except ImportError:
        raise MissingToolError("the package nir is not installed; install it with `pip install nir`") from None
    return nir


def layer_of(model: "Model") -> Layer:
    """Return the trained layer of a one-sided network; InputError for conductance-based neurons."""
    s, net, n = model.settings, model.network, len(model.encoder.pixels)
    if not isinstance(net, OneSidedNetwork):
        raise InputError("NIR has no conductance-based neuron; only networks of rule one-sided can be exported")
    w, bias = net.cells.w[:n], net.cells.w[n] if s.bias else np.zeros(s.outputs, np.float32)
    if s.neuron == "wta":
        gain = np.float32(net.neuron(1.0).gain)
        return Layer(w * gain, bias * gain - net.outputs.theta)
    m = s.outputs
    threshold = s.threshold + net.outputs.theta.astype(np.float64)
    return Layer(w.copy(), bias.copy(), np.full(m, s.membrane_ms), threshold, np.zeros(m))


def export_nir(model: "Model", path: str | Path) -> Path:
    """Write a trained one-sided network to ``path`` as a NIR graph."""
    s = model.settings
    about = {"neuron": s.neuron, "pixels": model.encoder.pixels.tolist(), "classes": model.dataset["classes"],
             "assigned": model.readout.assigned.tolist(), "competition": "one output fires in a step"}
    return write_layer(layer_of(model), path, step_ms=s.step_ms, about=about)


def write_layer(layer: Layer, path: str | Path, *, step_ms: float, about: dict[str, Any] | None = None) -> Path:
    """Write a layer as a NIR graph; ``about`` goes into its metadata."""
    nir = _nir()
    n, m = layer.w.shape
    offset = layer.bias if layer.membrane_ms is None else layer.bias * (MS_PER_S / step_ms)
    nodes = {"input": nir.Input({"input": np.array([n])}), "synapses": nir.Affine(layer.w.T.copy(), offset)}
    if layer.membrane_ms is not None:
        tau = layer.membrane_ms / MS_PER_S
        nodes["neurons"] = nir.LIF(tau=tau, r=tau, v_leak=np.zeros(m), v_threshold=layer.threshold, v_reset=layer.reset)
    nodes["output"] = nir.Output({"output": np.array([m])})
    names = list(nodes)
    metadata = {"hardwire": json.dumps({"step_ms": step_ms} | (about or {}))}
    buffer = io.BytesIO()
    nir.write(buffer, nir.NIRGraph(nodes, list(pairwise(names)), metadata=metadata))
    return write_bytes(path, buffer.getvalue())


def _check_sizes(content: bytes) -> None:
    """Refuse what HDF5 would take memory for that the file cannot fill; it asks for what a damaged length says.

    A string of any length is 16 bytes in its data set: its length, and where it stands. Those of chunked data sets are
    not looked at.
    """
    import h5py  # comes with nir

    def check(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.nbytes > LARGEST_ARRAY:
            raise ValueError(f"{name} has {item.nbytes} bytes")
        start = item.id.get_offset() if h5py.check_vlen_dtype(item.dtype) is not None else None
        if start is not None:
            lengths = np.frombuffer(content, "<u4", count=4 * item.size, offset=start)[::4]
            if (lengths > len(content)).any():
                raise ValueError(f"{name} has a text of {lengths.max()} bytes")

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(check)


def import_nir(path: str | Path, *, step_ms: float = 1.0) -> Layer:
    """Read a chain ``Input -> Linear or Affine -> (LIF) -> Output``, of this or any tool, into this project's units.

    Parameters
    ----------
    path
        Of the graph.
    step_ms
        Step for which an offset of the synapses, a constant current, becomes what each step adds.
    """
    nir = _nir()
    if not Path(path).is_file():
        raise InputError(f"{path} does not exist; give a NIR file")
    try:
        content = read_bytes(path)
        _check_sizes(content)
        graph = nir.read(io.BytesIO(content))
    except Exception as error:  # h5py and nir raise nearly anything
        raise FormatError(f"{path} is no NIR graph ({error}); write it with nir.write") from None
    synapses, neurons = _chain(graph, nir, path)
    w = np.ascontiguousarray(np.asarray(synapses.weight, np.float32).T)
    bias = np.asarray(getattr(synapses, "bias", np.zeros(w.shape[1])), np.float64)
    if neurons is None:
        return Layer(w, bias.astype(np.float32))
    tau, shape = np.asarray(neurons.tau, np.float64), w.shape[1]
    if np.any(np.asarray(neurons.v_leak) != 0):
        raise FormatError(f"{path}: the neurons leak to {neurons.v_leak}, here they leak to 0; shift threshold and "
                          "reset")
    jump = np.broadcast_to(np.asarray(neurons.r, np.float64) / tau, shape)
    values = tau * MS_PER_S, neurons.v_threshold, neurons.v_reset
    each = [np.broadcast_to(np.asarray(a, np.float64), shape).copy() for a in values]
    return Layer((w * jump).astype(np.float32), (bias * jump * (step_ms / MS_PER_S)).astype(np.float32), *each)


def _chain(graph: Any, nir: Any, path: str | Path) -> tuple[Any, Any]:
    """Return the graph's synapses and neurons, None where it has none; FormatError where it is no chain."""
    following, name, nodes = dict(graph.edges), None, list[Any]()
    starts = [n for n, node in graph.nodes.items() if isinstance(node, nir.Input)]
    if len(starts) == 1 and len(following) == len(graph.edges):
        name = following.get(starts[0])
        while name is not None and len(nodes) <= len(graph.nodes) and not isinstance(graph.nodes[name], nir.Output):
            nodes.append(graph.nodes[name])
            name = following.get(name)
    kinds = [type(node).__name__ for node in nodes]
    if name is None or kinds not in (["Affine"], ["Linear"], ["Affine", "LIF"], ["Linear", "LIF"]):
        shown = " -> ".join(type(n).__name__ for n in graph.nodes.values())
        raise FormatError(f"{path} is {shown}, not a chain of Input, Affine or Linear, LIF, Output; export one layer "
                          "at a time")
    return nodes[0], nodes[1] if len(nodes) > 1 else None
