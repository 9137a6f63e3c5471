"""Settings of a run as one flat record that is a TOML file on disk; the logic, crossbar and spiking trainers each have theirs."""

import dataclasses
import json
import re
import sys

from .errors import FormatError, InputError
from .files import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


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
