"""``LogicGraph``: a layer that is a network without layers, whose nodes read any earlier node or input."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...core.errors import InputError
from ..graph import Graph
from ..kernels.cache import as_array
from ..kernels.ops import kernels_for
from .layers import Nodes, check_input
from .nodes import ESTIMATORS, PARAMETRISATIONS, Parametrisation, Tabled, hard_values, tables


class LogicGraph(Nodes):
    """The nodes of a ``Graph`` as a layer with trainable tables: (samples, inputs) -> (samples, output bits).

    Each node is the multilinear extension of its table over its own operands, which stay what they are. Weights start
    from the graph's tables; in ``eval()`` the layer is the frozen graph, bit by bit. Weights and table values lie
    one after the other, nodes of one arity together, arities ascending, so that nodes of 1 to 6 operands can be mixed.

    Parameters
    ----------
    graph
        Wiring and tables to start from; its ``sizes`` belong to the head and are not kept.
    strength
        Size of the logits that the tables give, above 0, see ``Parametrisation.certain``: with the ``hard`` estimator,
        how far weights have to go until a table changes.
    noise
        Deviation of normal noise on the weights.
    parametrisation_name
        ``table`` or ``walsh``; where all nodes have two operands, also ``softmax`` and ``covjac``.
    estimator
        What a training step sees, see ``nodes``. Values that are not 0 and 1 lose themselves over many levels, so the
        default is ``hard``: the frozen graph forward, the relaxed one's gradient backward.
    temperature
        Of the Gumbel relaxation.
    seed
        Of the noise.
    """

    fanin: torch.Tensor
    arity: torch.Tensor
    outputs: torch.Tensor

    def __init__(self, graph: Graph, *, strength: float = 1.0, noise: float = 0.0,
                 parametrisation_name: str = "table", estimator: str = "hard", temperature: float = 1.0,
                 seed: int = 0) -> None:
        if not len(graph.outputs):
            raise InputError("a LogicGraph needs at least one output bit")
        if not strength > 0:
            raise InputError(f"strength = {strength} must be above 0, or the tables would be lost")
        super().__init__(0, 2, parametrisation_name=parametrisation_name, init="random", strength=None, noise=0.0,
                         estimator=estimator, temperature=temperature, rng=np.random.default_rng(seed))
        self.in_features, self.out_features = graph.inputs, len(graph.outputs)
        for name in ("fanin", "arity", "outputs"):
            self.register_buffer(name, torch.from_numpy(getattr(graph, name).copy()))
        self.layout = _layout(graph.arity)
        self.kinds = nn.ModuleDict({str(k): _parametrisation(parametrisation_name, k) for k, _ in self.layout})
        weights, generator = [], torch.Generator().manual_seed(seed)
        truth = torch.from_numpy(graph.table.astype(np.int64)[np.argsort(graph.arity, kind="stable")])
        for (k, _), own in zip(self.layout, torch.split(truth, [n for _, n in self.layout]) if self.layout else ()):
            w = self._kind(k).certain(hard_values(own, k=k), strength)
            weights.append((w + noise * torch.randn(w.shape, generator=generator)).flatten())
        self.weight = nn.Parameter(torch.cat(weights) if weights else torch.zeros(0))

    def _kind(self, arity: int) -> Parametrisation:
        return cast(Parametrisation, self.kinds[str(arity)])

    def _weights(self, w: torch.Tensor) -> list[tuple[int, Parametrisation, torch.Tensor]]:
        """Each arity with its parametrisation and its weights (nodes, weights) of ``w``."""
        each = [(k, self._kind(k), n) for k, n in self.layout]
        split = torch.split(w, [n * kind.weights for _, kind, n in each]) if each else ()
        return [(k, kind, ws.view(n, kind.weights)) for (k, kind, n), ws in zip(each, split)]

    def values(self, generator: torch.Generator | None = None) -> torch.Tensor:
        """Table values of all nodes, in the order of the weights, (sum of 2^arity,); see ``Nodes.values``."""
        if not self.trains:
            parts = [kind.hard(w) for _, kind, w in self._weights(self.weight.detach())]
        else:
            name = "hard" if self.phase.hard and self.estimator == "relaxed" else self.estimator
            parts = [ESTIMATORS[name](kind, w, self.temperature, generator, self.phase.sharpness)
                     for _, kind, w in self._weights(self.weight)]
        return torch.cat([p.flatten() for p in parts]) if parts else self.weight

    def tables(self) -> torch.Tensor:
        """The frozen nodes as truth tables in the graph's order, (nodes,) int64, for arity 6 as ``nodes.tables``."""
        result = torch.zeros(len(self.arity), dtype=torch.int64, device=self.weight.device)
        parts = [tables(kind.hard(w)) for _, kind, w in self._weights(self.weight.detach())]
        if parts:
            result[torch.argsort(self.arity, stable=True)] = torch.cat(parts)
        return result

    def graph(self, sizes: tuple[int, ...] | None = None) -> Graph:
        """The frozen layer as a record, with groups of ``sizes`` output bits, by default one group of all."""
        return Graph(self.in_features, as_array(self.fanin), as_array(self.tables()).view(np.uint64),
                     as_array(self.arity), as_array(self.outputs), sizes or (self.out_features,))

    def check_wiring(self) -> None:
        """InputError unless every node reads earlier ones and there are weights for nodes of such arities."""
        nothing = np.zeros(len(self.arity), dtype=np.uint64)
        Graph(self.in_features, as_array(self.fanin), nothing, as_array(self.arity), as_array(self.outputs),
              (self.out_features,))
        if _layout(as_array(self.arity)) != self.layout:
            raise InputError("the weights are those of nodes of other arities")

    @property
    def gates(self) -> int:
        """Nodes of the frozen graph, dead ones too."""
        return len(self.arity)

    @property
    def two_input_gates(self) -> int:
        """See ``Nodes.two_input_gates``."""
        return dict(self.layout).get(2, 0)

    def two_input_values(self) -> torch.Tensor:
        """See ``Nodes.two_input_values``."""
        w = self.weight.detach() if self.phase.frozen else self.weight
        (values,) = [kind.values(own, self.phase.sharpness) for k, kind, own in self._weights(w) if k == 2]
        return values

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Outputs (samples, out_features) of inputs (samples, in_features)."""
        x = check_input(x, self.in_features, self.weight, "LogicGraph")
        return kernels_for(x.device).graph(x, self.values(generator), self.fanin, self.arity, self.outputs, self.efd)

    def extra_repr(self) -> str:
        """What is printed of the layer."""
        return f"{self.in_features}, {self.out_features}, nodes={self.gates}, {self.parametrisation}"


def _parametrisation(name: str, k: int) -> Parametrisation:
    """The parametrisation of nodes of ``k`` operands, also of one where it is a table."""
    kind = PARAMETRISATIONS[name]
    return kind(k, least=1) if issubclass(kind, Tabled) else kind(k)


def _layout(arity: NDArray[np.uint8]) -> tuple[tuple[int, int], ...]:
    """Each arity that occurs, ascending, and how many nodes have it."""
    return tuple((int(k), int(n)) for k, n in zip(*np.unique(arity, return_counts=True)))
