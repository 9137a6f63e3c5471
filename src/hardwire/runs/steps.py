"""What later verbs noted of a run, ``steps.json``, as checked records."""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ..core.errors import FormatError
from .record import Amount, Count, Flow, Part, PassLine, RecordedVerdict, Text


class Inexact(Part):
    """What simplification on samples gave up."""

    budget: Amount
    gates_before: Count
    gates_after: Count
    changed: Count
    samples: Count
    validation_before: Amount | None
    validation_after: Amount | None


class Word(Part):
    """An output word's meaning; a target is ``bias + scale * word``."""

    name: str
    word: str
    bias: Annotated[float, Field(ge=-1e300, le=1e300)] = 0.0
    scale: Annotated[float, Field(ge=-1e300, le=1e300)] = 1.0


class Step(Part):
    """What a verb did."""

    seconds: Amount
    digest: Text | None = None
    level: Text | None = None
    passes: list[PassLine] = Field([])
    inexact: Inexact | None = None
    verdicts: dict[str, RecordedVerdict] = Field({})
    outputs: list[Word] = Field([])
    flows: dict[str, Flow] = Field({})


STEPS: TypeAdapter[dict[str, Step]] = TypeAdapter(dict[str, Step])


def check_steps(steps: object, what: str) -> None:
    """Check the steps of a run.

    Raises
    ------
    FormatError
        A step is garbled; ``what`` names the file.
    """
    try:
        STEPS.validate_python(steps, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))[:100]
        raise FormatError(f"{what} does not hold the steps of a run ({place or 'it'}: {first['msg'][:100]}); remove it "
                          "and repeat `hardwire optimize`") from None
