"""Records of the plain values beside the tensors of a checkpoint or a model: read with types and bounds, or refused."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import FormatError

#: A whole number that 32 bits hold; a place in a training; a real number of moderate size.
Size = Annotated[int, Field(ge=1, le=2_000_000_000)]
Place = Annotated[int, Field(ge=0, le=2**62)]
Real = Annotated[float, Field(ge=-1e300, le=1e300)]
#: A figure of an evaluation, which may be none.
Figure = Annotated[float, Field(allow_inf_nan=True)] | int | str | None


class Values(BaseModel):
    """Base of such a record; what is not declared is left out."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)

    @classmethod
    def of(cls, values: object, what: str, remedy: str = "train the network anew") -> Self:
        """Check what JSON gave.

        Parameters
        ----------
        values
            A mapping.
        what, remedy
            The file or model in the error, and what to do about it.

        Raises
        ------
        FormatError
            Something is missing or wrong; the sentence names the first.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))[:100]
            raise FormatError(f"{what} lacks or garbles {place or 'its values'} ({first['msg'][:100]}); "
                              f"{remedy}") from None


class RunValues(Values):
    """Where a run stands: units done, seconds of training and of compiling before it, a line for each evaluation."""

    position: Place
    seconds: Annotated[float, Field(ge=0)]
    compile_s: Annotated[float, Field(ge=0)] = 0.0
    metrics: list[dict[str, Figure]]


class Standing(Values):
    """A checkpoint's or model's values that every hardware has."""

    run: RunValues


class DatasetValues(Values):
    """What a model knows of its data."""

    name: str
    classes: Annotated[list[str], Field(min_length=1)]
    shape: Annotated[list[Size], Field(min_length=3, max_length=3)] | None
