"""What the file of a logic network holds beside its tensors, as checked records."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ..runs.values import DatasetValues, Place, Real, Size, Standing, Values

Positive = Annotated[float, Field(gt=0, le=1e300)]
Sizes = list[Annotated[int, Field(ge=0, le=2_000_000_000)]]
ImageShape = Annotated[list[Size], Field(min_length=3, max_length=3)]


class NodesRecord(Values):
    """What layers with weights share."""

    parametrisation: Literal["table", "softmax", "walsh", "covjac"]
    estimator: Literal["relaxed", "gumbel", "hard", "efd"]
    temperature: Positive


class DenseRecord(NodesRecord):
    """A ``LogicLayer``."""

    kind: Literal["dense"]
    in_features: Size
    out_features: Size
    fan_in: Annotated[int, Field(ge=2, le=6)]
    learned: bool
    routing: Literal["soft", "hard"]


class ConvRecord(NodesRecord):
    """A ``LogicConv2d``."""

    kind: Literal["conv"]
    in_shape: ImageShape
    kernels: Size
    receptive_field: Annotated[int, Field(ge=1, le=10_000)]
    depth: Annotated[int, Field(ge=1, le=8)]
    padding: Annotated[int, Field(ge=0, le=100)]
    pool: Annotated[int, Field(ge=1, le=15)]


class GraphRecord(NodesRecord):
    """A ``LogicGraph``."""

    kind: Literal["graph"]
    in_features: Size


class PoolRecord(Values):
    """An ``OrPool2d``."""

    kind: Literal["pool"]
    in_shape: ImageShape
    pool: Size


class ClassifyRecord(Values):
    """A ``GroupSum``."""

    task: Literal["classify"]
    groups: Size
    tau: Positive
    learn: bool
    sizes: Sizes | None = None


class RegressRecord(Values):
    """A ``Regression``."""

    task: Literal["regress"]
    bias: Annotated[list[Real], Field(min_length=1)]
    scale: Annotated[list[Positive], Field(min_length=1)]
    size: Size
    learn: bool
    sizes: Sizes | None = None


class MultiLabelRecord(Values):
    """A ``MultiLabel``."""

    task: Literal["multilabel"]
    thresholds: Annotated[list[Annotated[float, Field(ge=-1e9, le=1e9)]], Field(min_length=1)]
    tau: Positive
    size: Size
    learn: bool
    sizes: Sizes | None = None


HeadRecord = Annotated[ClassifyRecord | RegressRecord | MultiLabelRecord, Field(discriminator="task")]
LayerRecord = Annotated[DenseRecord | ConvRecord | GraphRecord | PoolRecord, Field(discriminator="kind")]


class LogicDatasetValues(DatasetValues):
    """What a logic model knows of its data."""

    features: list[str]


class ModelValues(Standing):
    """A trained network; ``head`` and ``layers`` are none of a network that was given to ``train``."""

    encoder: dict[str, Any]
    dataset: LogicDatasetValues
    best_step: Place
    head: HeadRecord | None
    layers: list[LayerRecord] | None


class GradientValues(Values):
    """A checkpoint of gradient steps."""

    best_hard: Real
    best_step: Place
    better_step: Place = 0


class HeadValues(Values):
    """The head of a checkpoint of a search."""

    head: HeadRecord


class Words128(Values):
    """The state of NumPy's generator PCG64."""

    state: Annotated[int, Field(ge=0, lt=2**128)]
    inc: Annotated[int, Field(ge=0, lt=2**128)]


class Generator(Values):
    """NumPy's generator."""

    bit_generator: Literal["PCG64"]
    state: Words128
    has_uint32: Annotated[int, Field(ge=0, le=1)]
    uinteger: Annotated[int, Field(ge=0, lt=2**32)]


class SearchValues(Values):
    """The state of a search beside its arrays."""

    rng: Generator
    rate: Annotated[float, Field(ge=0, le=1e300)]
    price: Real
    tau: Annotated[float, Field(gt=1e-6, le=1e9)]
    progress: Annotated[float, Field(ge=0, le=1)]
    began: Real
    rounds: Place
    epoch: Place


class SearchCheckpoint(Values):
    """A checkpoint of a search."""

    search: SearchValues
    best_rank: Annotated[list[Real], Field(min_length=2, max_length=2)]
    best_step: Place
    elapsed: Annotated[float, Field(ge=0)]
    head: HeadRecord
