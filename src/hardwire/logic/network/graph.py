"""``LogicGraph``: a layer that is a network without layers, whose nodes read any earlier node or input."""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import nn

from ...core.errors import InputError
from ..graph import Graph
from ..kernels.cache import as_array, kept
from ..kernels.ops import kernels_for
from .layers import Nodes, check_input
from .nodes import ESTIMATORS, PARAMETRISATIONS, Parametrisation, Tabled, hard_values, tables


class Part(NamedTuple):
    """The nodes of one arity: their numbers (nodes,) int64."""

    arity: int
    nodes: torch.Tensor


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
        self.kinds = nn.ModuleDict({str(part.arity): _parametrisation(parametrisation_name, part.arity)
                                    for part in self.parts()})
        weights, generator = [], torch.Generator().manual_seed(seed)
        truth = torch.from_numpy(graph.table.astype(np.int64))
        for part in self.parts():
            kind = self._kind(part)
            w = kind.certain(hard_values(truth[part.nodes], k=part.arity), strength)
            weights.append((w + noise * torch.randn(w.shape, generator=generator)).flatten())
        self.weight = nn.Parameter(torch.cat(weights) if weights else torch.zeros(0))

    def parts(self) -> list[Part]:
        """The nodes by arity, ascending; the same tensors as long as the arities do not change."""
        return kept([self.arity], ("parts", str(self.arity.device)), lambda: _parts(self.arity))

    def _kind(self, part: Part) -> Parametrisation:
        return cast(Parametrisation, self.kinds[str(part.arity)])

    def _weights(self, w: torch.Tensor) -> list[tuple[Part, Parametrisation, torch.Tensor]]:
        """Each part with its parametrisation and its weights (nodes, weights) of ``w``."""
        each = [(part, self._kind(part)) for part in self.parts()]
        split = torch.split(w, [len(part.nodes) * kind.weights for part, kind in each]) if each else ()
        return [(part, kind, ws.view(-1, kind.weights)) for (part, kind), ws in zip(each, split)]

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
        for part, kind, w in self._weights(self.weight.detach()):
            result[part.nodes] = tables(kind.hard(w))
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
        needed = [len(part.nodes) * self._kind(part).weights for part in self.parts() if str(part.arity) in self.kinds]
        if len(needed) < len(self.parts()) or sum(needed) != len(self.weight):
            raise InputError(f"{len(self.weight)} weights are not those of nodes of such arities")

    @property
    def gates(self) -> int:
        """Nodes of the frozen graph, dead ones too."""
        return len(self.arity)

    @property
    def two_input_gates(self) -> int:
        """See ``Nodes.two_input_gates``."""
        return sum(len(part.nodes) for part in self.parts() if part.arity == 2)

    def two_input_values(self) -> torch.Tensor:
        """See ``Nodes.two_input_values``."""
        w = self.weight.detach() if self.phase.frozen else self.weight
        (values,) = [kind.values(own, self.phase.sharpness) for part, kind, own in self._weights(w) if part.arity == 2]
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


def _parts(arity: torch.Tensor) -> list[Part]:
    return [Part(k, torch.nonzero(arity == k).flatten()) for k in torch.unique(arity).tolist()]
