"""Settings of a run: one declaration, from which TOML, options, estimator parameters and documentation follow."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from .errors import FormatError, InputError
from .files import read_text
from .names import is_text
from .reading import parse_toml

#: Types that settings are declared with.
Natural = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]

#: Kind of a pydantic error -> what the sentence says after ``name = value``.
_MESSAGES = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "finite_number": "must be finite",
    "literal_error": "is none of {choices}",
    "too_short": "needs at least {min_length} entries",
}


class Settings(BaseModel):
    """Base of a frozen, flat record of text, numbers, booleans and lists.

    A subclass declares a setting as a field with its type, bounds and default, and documents it by the string beneath
    the field. Each new value is checked; a wrong one raises ``InputError``, which names the setting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True,
                              allow_inf_nan=False)

    #: Settings that say where a run computes, not what: they may differ when it is resumed.
    PLACES: ClassVar[frozenset[str]] = frozenset()
    #: Texts that may name a user's own file: a run keeps its absolute path.
    FILES: ClassVar[frozenset[str]] = frozenset()

    if not TYPE_CHECKING:  # a type checker sees the fields as keyword arguments

        def __init__(self, /, **values: Any) -> None:
            _check_storable(values)
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise InputError(self._sentence(error)) from None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check()
        return self

    def check(self) -> None:
        """Raise InputError where settings, each valid alone, make no sense together."""

    @classmethod
    def _sentence(cls, error: ValidationError) -> str:
        """Say what is wrong with the first wrong setting."""
        first = error.errors()[0]
        name, kind, context = str(first["loc"][0]), first["type"], first.get("ctx", {})
        if kind == "extra_forbidden":
            return f"{name!r} is no setting; choose from {', '.join(sorted(cls.model_fields))}"
        kinds = cls.kind_of(name)
        place = f"{name}[{first['loc'][1]}]" if len(first["loc"]) > 1 else name
        if kind in _MESSAGES:
            bounds = {key: _number(value) for key, value in context.items() if key in _BOUNDS}
            message = _MESSAGES[kind].format(choices=", ".join(kinds.choices), **context | bounds)
        else:
            message = f"should be {kinds.words if place == name else kinds.entry.words}"
        return f"{place} = {shown(first['input'])} {message}"

    @classmethod
    def kind_of(cls, name: str) -> "Kind":
        """Return what values the setting ``name`` takes."""
        field = cls.model_fields[name]
        return _kind(field.annotation, field.metadata)

    def to_toml(self) -> str:
        """Return the settings as the text of a TOML file."""
        return tomli_w.dumps(self.model_dump())

    @classmethod
    def from_toml(cls, text: str, path: str | Path = "the stored configuration") -> Self:
        """Read settings from TOML ``text``; ``path`` names it in errors.

        Raises
        ------
        FormatError
            The text is not TOML.
        InputError
            A setting is unknown or wrong.
        """
        try:
            return cls(**parse_toml(text))
        except ValueError as error:
            raise FormatError(f"{path} is not TOML ({error}); correct it") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read settings from the TOML file at ``path``."""
        return cls.from_toml(read_text(path), path)

    def changed(self, /, **values: Any) -> Self:
        """Return these settings with ``values`` in place of some."""
        return type(self)(**(self.model_dump() | values))

    def with_text(self, text: str, where: str) -> Self:
        """Return these settings with those that lines of TOML give; a bare word is taken for a text.

        Parameters
        ----------
        text
            Lines of ``NAME=VALUE``.
        where
            Where the text is from, for errors.
        """
        return self.changed(**parse_assignments(text, where))


def _check_storable(values: Mapping[str, Any]) -> None:
    """InputError where a number or a text cannot be kept: integers beyond 64 bits, halves of surrogate pairs."""
    for name, value in values.items():
        for entry in value if isinstance(value, list | tuple) else [value]:
            if isinstance(entry, int) and entry.bit_length() > 63:
                raise InputError(f"{name} = {shown(entry)} does not fit 64 bits; give a smaller number")
            if isinstance(entry, str) and not is_text(entry):
                raise InputError(f"{name} = {shown(entry)} holds half of a surrogate pair, which no file can hold; "
                                 "rename it")


def shown(value: object) -> str:
    """Return a value for a sentence, shortened."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"{'-' * (value < 0)}0x{abs(value) >> value.bit_length() - 32:x}..."
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits in a list, or lists within lists
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:97]}..."


def parse_assignments(text: str, where: str) -> dict[str, Any]:
    """Return what lines of ``NAME=VALUE`` in TOML give, see ``Settings.with_text``."""
    try:
        return parse_toml("\n".join(map(_quoted, text.splitlines())))
    except ValueError as error:
        example = "write for example seed=3"
        raise InputError(f"{where} {shown(text.splitlines()[0])} is not NAME=VALUE ({error}); {example}") from None


def _quoted(line: str) -> str:
    """Put a bare word after ``=`` in quotes."""

    def quote(match: re.Match[str]) -> str:
        return match[0] if match[1] in ("true", "false", "inf", "nan") else f'= "{match[1]}"'

    return re.sub(r"=\s*([A-Za-z_][^\s\[\"']*)\s*$", quote, line)


class Kind(NamedTuple):
    """What values a setting takes.

    Attributes
    ----------
    type
        ``int``, ``float``, ``str`` or ``bool``; of a list that of its entries.
    choices
        The texts that are allowed, where there are only some.
    bounds
        Words for the range of a number, such as ``at least 1``; empty where it has none.
    is_list
        Whether the value is a list of such.
    """

    type: type
    choices: tuple[str, ...] = ()
    bounds: str = ""
    is_list: bool = False

    @property
    def words(self) -> str:
        """The kind in a sentence."""
        if self.is_list:
            return f"a list of {_WORDS[self.type].removeprefix('a ')}s"
        return _WORDS[self.type]

    @property
    def entry(self) -> "Kind":
        """The kind of a list's entries."""
        return self._replace(is_list=False)


_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}


def _kind(annotation: Any, metadata: Iterable[Any]) -> Kind:
    """Read the declaration of a field."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list:
        return _kind(arguments[0], ())._replace(is_list=True)
    if origin is Annotated:
        inner = [m for a in arguments[1:] for m in (a.metadata if isinstance(a, FieldInfo) else [a])]
        return _kind(arguments[0], [*inner, *metadata])
    if origin is Literal:
        return Kind(str, choices=arguments)
    bounds = [words.format(_number(getattr(m, name))) for m in metadata for name, words in _BOUNDS.items()
              if hasattr(m, name)]
    return Kind(annotation, bounds=" and ".join(bounds))


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
