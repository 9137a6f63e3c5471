"""Settings of a run: one declaration, from which TOML, command-line options, estimator parameters and documentation are derived."""

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from .errors import FormatError, InputError
from .files import read_text

if sys.version_info >= (3, 11):
    from typing import Self

    import tomllib
else:  # pragma: no cover
    import tomli as tomllib
    from typing_extensions import Self

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

    if not TYPE_CHECKING:  # a type checker sees the fields as keyword arguments

        def __init__(self, **values: Any) -> None:
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
        annotation = cls.model_fields[name].annotation
        if kind in _MESSAGES:
            choices = ", ".join(map(str, get_args(annotation)))
            message = _MESSAGES[kind].format(choices=choices, **context)
        else:
            message = f"should be {_type_name(annotation)}"
        place = f"{name}[{first['loc'][1]}]" if len(first["loc"]) > 1 else name
        return f"{place} = {first['input']!r} {message}"

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
            return cls(**tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise FormatError(f"{path} is not TOML ({error}); correct it") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read settings from the TOML file at ``path``."""
        return cls.from_toml(read_text(path), path)

    def changed(self, **values: Any) -> Self:
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
        try:
            given = tomllib.loads("\n".join(map(_quoted, text.splitlines())))
        except tomllib.TOMLDecodeError as error:
            example = "write for example seed=3"
            raise InputError(f"{where} {text.splitlines()[0]!r} is not NAME=VALUE ({error}); {example}") from None
        return self.changed(**given)


def _quoted(line: str) -> str:
    """Put a bare word after ``=`` in quotes."""

    def quote(match: re.Match[str]) -> str:
        return match[0] if match[1] in ("true", "false", "inf", "nan") else f'= "{match[1]}"'

    return re.sub(r"=\s*([A-Za-z_][^\s\[\"']*)\s*$", quote, line)


def _type_name(annotation: Any) -> str:
    """Name a type for a user."""
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    if get_origin(annotation) is list:
        return f"a list of {names.get(get_args(annotation)[0], 'values').removeprefix('a ')}s"
    return names.get(annotation, f"of type {getattr(annotation, '__name__', annotation)}")


class FlatConfig:
    """Base of a frozen dataclass of text, numbers, booleans and lists. Each change is checked; InputError names the setting."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is float and type(value) is int:
                object.__setattr__(self, field.name, float(value))
            elif type(value) is not field.type:
                raise InputError(f"{field.name} = {value!r} should be of type {field.type.__name__}")
        self.check()

    def check(self) -> None:
        """Raise InputError where settings make no sense, alone or together."""

    def choose(self, choices: dict) -> None:
        """Refuse a setting that is none of those allowed; ``choices`` maps a name to them."""
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} = {getattr(self, name)!r} is none of {', '.join(allowed)}")

    def to_toml(self) -> str:
        text = "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in dataclasses.asdict(self).items())
        return text.replace("\x7f", "\\u007f")  # the one character that JSON leaves and TOML refuses

    @classmethod
    def from_dict(cls, values: dict):
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise InputError(f"{unknown[0]!r} is no setting; choose from {', '.join(sorted(known))}")
        return cls(**values)

    @classmethod
    def from_toml(cls, text: str, path="the stored configuration"):
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise FormatError(f"{path} is not TOML ({error}); correct it") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @classmethod
    def load(cls, path):
        return cls.from_toml(read_text(path), path)

    def changed(self, **values):
        """These settings with ``values`` in place of some."""
        return self.from_dict(dataclasses.asdict(self) | values)

    def with_text(self, text: str, where: str):
        """These settings with those that lines of TOML give; a bare word is taken for a text."""
        lines = [re.sub(r"=\s*([A-Za-z_][^\s\[\"']*)\s*$", lambda m: m[0] if m[1] in ("true", "false", "inf", "nan")
                        else f'= "{m[1]}"', line) for line in text.splitlines()]
        try:
            given = tomllib.loads("\n".join(lines))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{where} {text.splitlines()[0]!r} is not NAME=VALUE ({error}); write for example seed=3") from None
        return self.changed(**given)
