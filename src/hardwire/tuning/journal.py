"""The journal of a sweep, a line of JSON for each operation on an Optuna study: checked before Optuna replays it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..core.errors import FormatError, InputError
from ..core.reading import parse_json

Number = Annotated[int, Field(ge=0, le=10_000_000)]
Real = Annotated[float, Field(ge=-1e300, le=1e300)]
State = Annotated[int, Field(ge=0, le=4)]
#: Numbers of Optuna's states of a trial.
RUNNING, COMPLETE, FINISHED = 0, 1, (1, 2, 3)


def _time(text: str) -> str:
    if not 1970 <= datetime.fromisoformat(text).year < 3000:
        raise ValueError("no time of a sweep")
    return text


def _one(entries: dict[str, Any]) -> dict[str, Any]:
    if len(entries) != 1:
        raise ValueError("more than one attribute")
    return entries


def _attributes(entries: dict[str, Any]) -> dict[str, Any]:
    Attributes.model_validate(entries)
    return entries


class Attributes(BaseModel):
    """Attributes of trials and studies that this project reads; others are kept."""

    model_config = ConfigDict(strict=True, extra="allow")

    number: Number = 0
    attempt: Number = 0
    seconds: Real = 0.0
    where: str = ""
    run: str = ""
    error: str = ""
    sweep: dict[str, Any] = Field({})
    fixed_params: dict[str, Real | bool | int | str | None] = Field({})


Time = Annotated[str, AfterValidator(_time)]
Several = Annotated[dict[str, Any], AfterValidator(_attributes)]
Single = Annotated[dict[str, Any], AfterValidator(_one), AfterValidator(_attributes)]
Objectives = Annotated[list[Real], Field(min_length=2, max_length=2)]


class Operation(BaseModel):
    """Base of a line."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    worker_id: str

    def check(self) -> None:
        """Raise ValueError where fields, each valid alone, contradict each other."""


class CreateStudy(Operation):
    """A new study of two objectives."""

    op_code: Literal[0]
    study_name: str
    directions: Annotated[list[Annotated[int, Field(ge=1, le=2)]], Field(min_length=2, max_length=2)]


class DeleteStudy(Operation):
    """A study that goes."""

    op_code: Literal[1]
    study_id: Number


class StudyUserAttribute(Operation):
    """What this project notes of a study."""

    op_code: Literal[2]
    study_id: Number
    user_attr: Single


class StudySystemAttribute(Operation):
    """What Optuna notes of a study."""

    op_code: Literal[3]
    study_id: Number
    system_attr: Single


def check_values(state: int, values: list[float] | None) -> None:
    """ValueError where a complete trial has no values."""
    if state == COMPLETE and values is None:
        raise ValueError("a complete trial without values")


class CreateTrial(Operation):
    """A new trial, waiting or running."""

    op_code: Literal[4]
    study_id: Number
    datetime_start: Time | None = Field(...)
    datetime_complete: Time = "2000-01-01"
    state: State = RUNNING
    value: None = None
    values: Objectives | None = None
    params: dict[str, Real] = Field({})
    distributions: dict[str, str] = Field({})
    user_attrs: Several = Field({})
    system_attrs: Several = Field({})
    intermediate_values: Annotated[dict[str, Any], Field(max_length=0)] = Field({})

    def check(self) -> None:
        """See ``Operation.check``."""
        if set(self.params) != set(self.distributions):
            raise ValueError("parameters without distributions")
        for name, value in self.params.items():
            check_parameter(self.distributions[name], value)
        check_values(self.state, self.values)


class SetParameter(Operation):
    """A parameter that a sampler drew."""

    op_code: Literal[5]
    trial_id: Number
    param_name: str
    param_value_internal: Real
    distribution: str

    def check(self) -> None:
        """See ``Operation.check``."""
        check_parameter(self.distribution, self.param_value_internal)


class SetState(Operation):
    """A trial that begins or ends."""

    op_code: Literal[6]
    trial_id: Number
    state: State
    values: Objectives | None = Field(...)
    datetime_start: Time | None = None
    datetime_complete: Time | None = None

    def check(self) -> None:
        """See ``Operation.check``."""
        if (self.state == RUNNING and self.datetime_start is None) or (
                self.state in FINISHED and self.datetime_complete is None):
            raise ValueError("a state without its time")
        check_values(self.state, self.values)


class SetIntermediate(Operation):
    """A value on the way."""

    op_code: Literal[7]
    trial_id: Number
    step: Number
    intermediate_value: Real


class TrialUserAttribute(Operation):
    """What this project notes of a trial."""

    op_code: Literal[8]
    trial_id: Number
    user_attr: Single


class TrialSystemAttribute(Operation):
    """What Optuna notes of a trial."""

    op_code: Literal[9]
    trial_id: Number
    system_attr: Single


class Discard(Operation):
    """Trials that are left out."""

    op_code: Literal[10]


LINES: TypeAdapter[Operation] = TypeAdapter(Annotated[
    CreateStudy | DeleteStudy | StudyUserAttribute | StudySystemAttribute | CreateTrial | SetParameter | SetState
    | SetIntermediate | TrialUserAttribute | TrialSystemAttribute | Discard, Field(discriminator="op_code")])


def check_parameter(distribution: str, value: float) -> None:
    """ValueError where Optuna cannot make a value of a distribution that is written as JSON."""
    from optuna.distributions import json_to_distribution

    try:
        parse_json(distribution)
        drawn = json_to_distribution(distribution)
        right = drawn._contains(value)
        drawn.to_external_repr(value)
    except Exception as error:  # a garbled distribution makes Optuna raise nearly anything
        raise ValueError(f"no distribution ({error})") from None
    if not right:
        raise ValueError("a parameter outside its distribution")


def check_journal(path: Path) -> None:
    """Check every line of a journal; the last one may be half written, and is left to Optuna's lock.

    Raises
    ------
    InputError
        The file cannot be read.
    FormatError
        A line is no operation on a study; the sentence gives its number.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            LINES.validate_python(parse_json(line.decode())).check()
        except ValidationError as error:
            raise _damaged(path, number, error.errors(include_url=False, include_input=False)[0]["msg"]) from None
        except ValueError as error:
            raise _damaged(path, number, str(error)) from None


def _damaged(path: Path, number: int, why: str) -> FormatError:
    return FormatError(f"{path} is damaged at line {number} ({why[:150]}); restore it, or sweep into another folder")


def check_study(attributes: Mapping[str, Any], where: str) -> None:
    """FormatError where attributes of a trial or a study are not those that this project writes."""
    try:
        Attributes.model_validate(dict(attributes))
    except ValidationError as error:
        name = ".".join(map(str, error.errors()[0]["loc"]))
        raise FormatError(f"{where} holds a trial whose {name} is garbled; restore it, or sweep into another "
                          "folder") from None
