"""Training that ends in an exact search: gradient steps first, unless the search begins with nothing or with a run."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.bits import pack as pack_bits
from ...core.errors import FormatError, InputError
from ...data import Dataset
from ...data.columns import kept_texts
from ...data.encoders import Encoder
from ...data.fingerprint import fingerprint_of
from ...runs.checkpoint import Tensors, part, with_prefix
from ...runs.experiment import Figures, Training
from ...runs.fingerprint import Fingerprint
from ..graph import Graph
from ..model import describe, load_model, pack
from ..network.build import build_encoder, check_encoded
from ..network.convert import graph_of, network_of
from ..network.heads import GroupSum, Head, MultiLabel, Regression, head_from_dict
from ..search.engine import Search, SearchOptions
from ..search.prices import PRICES, Prices
from ..search.samples import Kind, Moves, SearchSamples
from ..settings import LogicSettings
from ..stored import SearchCheckpoint
from .augment import Augmentation
from .evaluation import calibration_of
from .gradient import LogicTraining
from .tasks import TASKS
from .teacher import Teacher
from .variation import variation_of

#: Share of the budget that a kept network may cost more, as the price is an average.
TOLERANCE = 1.01
#: Samples, copies among them, that a search is given by itself; and how many copies at most.
SAMPLES, MOST_COPIES = 150_000, 40
#: Share of a search after which the network is cut back to its budget.
CUT_BACK = 0.85


class SearchTraining(Training):
    """Gradient steps, where the settings ask for them, and the search; the best network on validation is kept.

    Parameters
    ----------
    settings
        With a budget.
    dataset
        Its training split is searched on, its validation split chooses; the test split is not touched.
    """

    unit = "step"

    def __init__(self, settings: LogicSettings, dataset: Dataset) -> None:
        self.settings, self.dataset = settings, dataset
        self.task = TASKS[settings.task](len(dataset.classes), dataset.train.y)
        self.gradient = LogicTraining(settings, dataset) if settings.start == "gradient" else None
        self.steps = settings.steps if self.gradient else 0
        self.search: Search | None = None
        self.elapsed, self.finished = 0.0, False
        self.best: Graph | None = None
        self.best_rank, self.best_step = (0.0, 0.0), 0
        self.head: Head | None = None
        if self.gradient is None:
            start = None
            if settings.start == "nothing":
                self.encoder = build_encoder(settings, dataset.train.x, dataset.shape, dataset.train.y)
            else:
                model = load_model(settings.start)
                self.encoder, self.head, start = model.encoder, model.network.head, graph_of(model.network)
            self._begin(start)
        else:
            self.encoder = self.gradient.encoder

    @property
    def total(self) -> int:  # type: ignore[override]
        """Steps and rounds in all; of a search by time as many as there will be at its present speed."""
        if self.settings.search_rounds:
            return self.steps + self.settings.search_rounds
        if self.finished:
            return self.position
        done = max(0, self.position - self.steps)
        share = min(1.0, self.elapsed / self.settings.search_seconds)
        return self.steps + max(done + 1, round(done / share) if share else 1000)

    def __enter__(self) -> Self:
        """Begin."""
        super().__enter__()
        if self.gradient is not None:
            self.gradient.__enter__()
            self.group = self.gradient.group
        return self

    def __exit__(self, *reason: object) -> None:
        """End."""
        if self.gradient is not None:
            self.gradient.__exit__(*reason)

    def prepare(self) -> None:
        """Compile the kernels of the gradient steps, where there are some to come."""
        if self.gradient is not None and self.position < self.steps:
            self.gradient.position = self.position
            self.gradient.prepare()

    def advance(self) -> Figures | None:
        """Make a gradient step, or a round of the search."""
        if self.gradient is not None and self.position < self.steps:
            self.gradient.position = self.position
            figures = self.gradient.advance()
            self.position = self.gradient.position
            if self.position == self.steps:
                self._take_over()
            return figures
        search, started = cast(Search, self.search), time.perf_counter()
        rounds = self.settings.search_rounds
        progress = search.rounds / rounds if rounds else self.elapsed / self.settings.search_seconds
        search.round(min(1.0, progress))
        self.position += 1
        self.elapsed += time.perf_counter() - started
        over = search.rounds >= rounds if rounds else self.elapsed >= self.settings.search_seconds
        figures = self._evaluate() if over or search.rounds % self.settings.evaluate_every == 0 else None
        self.finished = over
        return figures

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the state of the phase that runs, and the best network of the search."""
        if self.search is None:
            tensors, values = cast(LogicTraining, self.gradient).state()
            return tensors, values | {"phase": "gradient"}
        arrays, values = self.search.state()
        tensors = with_prefix("search.", arrays)
        if self.best is not None:
            tensors |= with_prefix("best.", self.best.to_tensors())
        if self.start is not None:
            tensors |= with_prefix("start.", self.start.to_tensors())
        head = None if self.head is None else self.head.to_dict()
        return tensors, {"phase": "search", "search": values, "best_rank": list(self.best_rank), "head": head,
                         "best_step": self.best_step, "elapsed": self.elapsed}

    def restore(self, tensors: Tensors, values: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        if (values.get("phase") == "gradient") != (self.position < self.steps):
            raise FormatError("the checkpoint is of another phase than its position; train the network anew")
        if self.position < self.steps:
            cast(LogicTraining, self.gradient).restore(tensors, values)
            return
        kept = SearchCheckpoint.of(values, "the checkpoint")
        if self.search is None:
            self.head = head_from_dict(kept.head.model_dump())
            if self.head.task != self.settings.task or self.head.groups != len(self.dataset.classes):
                raise FormatError("the checkpoint's head does not fit the settings and the data; train anew")
            self._begin(self._graph(tensors, "start."))
        cast(Search, self.search).restore(part(tensors, "search."), kept.search.model_dump())
        self.best = self._graph(tensors, "best.")
        self.best_rank = kept.best_rank[0], kept.best_rank[1]
        self.best_step, self.elapsed = kept.best_step, kept.elapsed

    def _graph(self, tensors: Tensors, prefix: str) -> Graph | None:
        """The graph that is kept under ``prefix``, if any; FormatError where it is of other data."""
        fields = part(tensors, prefix)
        if not fields:
            return None
        graph = Graph.from_tensors(fields)
        if graph.inputs != self.encoder.n_bits or len(graph.sizes) != len(self.dataset.classes):
            raise FormatError("the checkpoint holds a graph of other inputs or groups; train the network anew")
        return graph

    def finish(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the best network with its head and the encoder."""
        if self.best is None:
            raise InputError("the search made no output bit; give it more time, a larger budget, a lower search_floor")
        network = network_of(self.best, self._head_of(self.best))
        return pack(network.eval(), self.encoder, describe(self.dataset), self.best_step)

    def fingerprint(self) -> Fingerprint:
        """Return that of the data set."""
        return fingerprint_of(self.dataset)

    def texts(self) -> Mapping[str, str]:
        """Return the columns of a table."""
        return kept_texts(self.dataset.columns)

    def calibration(self) -> Mapping[str, str]:
        """Return what turns counts into probabilities, fitted on the validation split; of classes only."""
        if self.best is None:
            return {}
        return calibration_of(network_of(self.best, self._head_of(self.best)).eval(), self.dataset, self.encoder)

    # the two phases

    def _take_over(self) -> None:
        """Begin the search with the best network of the gradient steps."""
        gradient = cast(LogicTraining, self.gradient)
        gradient.finish()
        self.head = gradient.network.head
        self._begin(graph_of(gradient.network))

    def _begin(self, start: Graph | None) -> None:
        settings, dataset = self.settings, self.dataset
        self.start = start
        groups = len(dataset.classes)
        if self.head is None:
            self.head = self._fresh_head(groups)
        targets, task = self._targets()
        copies = self._number_of_copies()
        check_encoded(self.encoder, len(dataset.train.y), copies)
        self.plain = self.encoder.encode(dataset.train.x)
        samples = SearchSamples.of(self._copies(), np.tile(targets, (copies, 1)), task,
                                   seed=settings.seed, moves=self._moves(), level=self._level, gain=self._gain,
                                   vary=self._copies if copies > 1 and variation_of(settings) else None)
        options = SearchOptions(
            budget=settings.budget, bits=settings.search_bits, depth=settings.search_depth,
            window=settings.search_window, tau=settings.tau, floor=settings.search_floor, pool=settings.search_pool,
            course=((0.0, settings.search_peak_at, CUT_BACK), (settings.search_peak / 4, settings.search_peak, 1.0)),
            redraw=settings.search_redraw, seed=settings.seed)
        prices = replace(PRICES[settings.unit], inputs=bit_prices(self.encoder, PRICES[settings.unit]))
        self.search = Search(samples, prices, options, start=start, threads=torch.get_num_threads())
        self.validation_bits = pack_bits(self.encoder.encode(dataset.validation.x))

    def _number_of_copies(self) -> int:
        settings = self.settings
        if settings.search_copies or not (variation_of(settings) or settings.augment != "none"):
            return settings.search_copies or 1
        return min(MOST_COPIES, max(1, round(SAMPLES / len(self.dataset.train.y))))

    def _copies(self, epoch: int = 0) -> NDArray[np.bool_]:
        """Encoded training samples and their copies, varied by epoch, one after the other."""
        settings, dataset = self.settings, self.dataset
        vary, threads = variation_of(settings), torch.get_num_threads()
        parts = [self.plain]
        for copy in range(1, self._number_of_copies()):
            rng = np.random.default_rng([settings.seed, 10, copy, epoch])
            varied = vary(dataset.train.x, dataset.shape, rng, threads=threads) if vary else None
            parts.append(self.plain if varied is None else self.encoder.encode(varied))
        return np.concatenate(parts)

    def _targets(self) -> tuple[NDArray[Any], Kind]:
        settings, y = self.settings, self.dataset.train.y
        groups = len(self.dataset.classes)
        self._level = self._gain = np.zeros(groups, np.float32)
        if settings.task == "classify":
            targets = np.eye(groups, dtype=np.float32)[np.asarray(y)]
            if settings.teacher:
                teacher = Teacher(settings.teacher, self.dataset, weight=settings.teacher_weight,
                                  temperature=settings.teacher_temperature)
                soft = torch.softmax(teacher.logits / settings.teacher_temperature, 1).numpy()
                targets = (1 - settings.teacher_weight) * targets + settings.teacher_weight * soft
            return targets, "classify"
        if settings.task == "multilabel":
            self._level = cast(MultiLabel, self.head).threshold.detach().numpy().astype(np.float32)
            return np.asarray(y, np.float32), "multilabel"
        head = cast(Regression, self.head)
        mean, deviation = np.mean(y, axis=0), np.std(y, axis=0)
        bias, scale = (v.detach().double().numpy() for v in (head.bias, head.scale))
        self._level, self._gain = ((bias - mean) / deviation).astype(np.float32), (scale / deviation).astype(np.float32)
        return ((np.asarray(y) - mean) / deviation).astype(np.float32), "regress"

    def _fresh_head(self, groups: int) -> Head:
        """The head of a network that begins with nothing."""
        bits, y = self.settings.search_bits, self.dataset.train.y
        if self.settings.task == "multilabel":
            return MultiLabel(np.full(groups, bits / 2), tau=0.36 * bits**0.5, sizes=(bits,) * groups)
        if self.settings.task == "regress":
            low, high = np.min(y, axis=0), np.max(y, axis=0)
            return Regression(low, (high - low) / bits, size=bits, sizes=(bits,) * groups)
        return GroupSum(groups, 0.36 * bits**0.5, sizes=(bits,) * groups)

    def _head_of(self, graph: Graph) -> Head:
        """The head of a searched network, whose groups may have other numbers of bits."""
        head = cast(Head, self.head)
        if isinstance(head, Regression):
            bias, scale = (v.detach().double().numpy() for v in (head.bias, head.scale))
            return Regression(bias, scale, size=head.size, sizes=graph.sizes)
        tau = cast(Search, self.search).tau
        if isinstance(head, MultiLabel):
            return MultiLabel(head.threshold.detach().numpy(), tau, size=head.size, sizes=graph.sizes)
        return GroupSum(head.groups, tau, sizes=graph.sizes)

    def _moves(self) -> Moves | None:
        settings, dataset = self.settings, self.dataset
        if settings.augment == "none":
            return None
        check = Augmentation(settings.augment, dataset.shape, self.encoder, dataset.train.x, pad=settings.crop_pad)
        channels, height, width = check.shape
        if check.background.any():
            raise InputError("a search moves images whose background has no true bits; use augment = 'none'")
        return Moves((channels, height, width), pad=check.pad if check.crops else 0, flip=check.flips)

    def _evaluate(self) -> Figures:
        """Evaluate; keep the network if it is the best so far within the budget, of equals the latest."""
        search = cast(Search, self.search)
        graph = search.graph()
        y = self.task.targets(self.dataset.validation.y)
        counts = graph.counts(self.validation_bits) if len(graph.outputs) else np.zeros((len(y), search.groups))
        head = self._head_of(graph)
        scores = head.outputs(torch.from_numpy(counts.astype(np.float64))).detach().numpy()
        merits = {f"hard_{name}" if name else "hard": value for name, value in self.task.merit(scores, y).items()}
        excess = max(0.0, search.area - TOLERANCE * self.settings.budget)
        rank = (-excess, merits["hard"])  # until one is within the budget, the cheapest is kept
        if len(graph.outputs) and (self.best is None or rank >= self.best_rank):
            self.best_rank, self.best_step, self.best = rank, self.position, graph
        return {"step": self.position, "loss": round(search.loss() / search.samples.samples, 6),
                "relaxed": merits["hard"], **merits, "price": round(search.area, 1)}


def bit_prices(encoder: Encoder, prices: Prices) -> NDArray[np.float32]:
    """Return the price of each encoded bit's comparator alone, (bits,); a threshold at the highest bit is a wire."""
    width = np.broadcast_to(encoder.width, encoder.thresholds.shape)[encoder.used]
    thresholds = encoder.thresholds[encoder.used]
    lowest = np.log2(thresholds & -thresholds).astype(np.int64)
    gates = [*(width - 1 - lowest), *(6 * encoder.width[encoder.edges[:, 0]])]
    each = prices.gate if prices.fan_in == 2 else prices.table / 5  # a table holds a chain of five gates
    return np.asarray(np.array(gates) * each, np.float32)
