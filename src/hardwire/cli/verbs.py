"""What every verb shares: its class with examples in the help, its common options, and options made from settings."""

import functools
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click
from click.types import convert_type
from rich.text import Text
from rich_click.rich_panel import RichOptionPanel

from ..core.errors import InputError
from ..core.settings import Kind, Settings
from ..logic.settings import GATES_PER_MS
from .output import OUT, Output

F = TypeVar("F", bound=Callable[..., Any])

DATASET = ("A name (digits, mnist, fashion-mnist, cifar10, cifar100, monk1, adult, iris, letter, ...), a .csv, .tsv, "
           ".parquet or .npz file, or a folder of pictures by class.")
#: Titles of the panels of a help page, in order.
PANELS = *_, FREQUENT, ALL = "Arguments", "Options", "Settings", "All settings"


class Verb(click.RichCommand):
    """A command whose help ends with examples, printed as they are typed."""

    def format_epilog(self, ctx: click.Context, formatter: Any) -> None:
        """Write the examples without wrapping them."""
        formatter.write(Text(f"example:\n{self.epilog}\n"), soft_wrap=True)


def verb(examples: str) -> Callable[[Callable[..., int]], Verb]:
    """Make a command of a function ``(output, **options) -> exit code``, whose docstring is the help.

    Parameters
    ----------
    examples
        Lines that a user may type.
    """

    def make(function: Callable[..., int]) -> Verb:
        @functools.wraps(function)
        def call(*, json: bool, **options: Any) -> int:
            if context := click.get_current_context(silent=True):
                context.meta[OUT] = options.get("out")
            return function(Output(json), **options)

        text = "\n".join(f"  {line}" for line in examples.strip().splitlines())
        command = click.command(cls=Verb, epilog=text)(call)
        command.params += [  # --debug is read by main
            click.RichOption(["--json"], is_flag=True, help="Print machine-readable JSON."),
            click.RichOption(["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error.")]
        for name in PANELS:
            command.add_panel(RichOptionPanel(name))
        return command

    return make


def out_option(text: str = "Run directory.", *, required: bool = True, **more: Any) -> Callable[[F], F]:
    """Return the option ``--out DIR``."""
    return click.option("--out", required=required, metavar="DIR", help=text, **more)


data_dir_option = click.option("--data-dir", metavar="DIR", type=click.Path(path_type=Path),
                               help="Where data sets lie (default: $HARDWIRE_DATA, then the user's cache).")
data_option = click.option("--data", metavar="DATASET",
                           help="The run's data, where they have moved (default: where they lay in training).")
resume_option = click.option("--resume", is_flag=True, help="Go on where an interrupted run was.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Remove the run that is in the directory.")
run_argument = click.argument("run", metavar="RUN", help="Run directory of `hardwire train`.")
circuit_argument = click.argument("circuit", metavar="CIRCUIT",
                                  help="Circuit file (.net, .aig, .aag, .blif) or run directory.")


def threads_option(function: F) -> F:
    """Add the option ``--threads``, which is set before ``function`` is called."""

    @functools.wraps(function)
    def call(*arguments: Any, threads: int | None, **options: Any) -> Any:
        if threads is not None:
            if threads < 1:
                raise InputError(f"--threads {threads}: use at least 1")
            import torch

            torch.set_num_threads(threads)
        return function(*arguments, **options)

    text = "Threads for training (default: all cores); the result is the same."
    return click.option("--threads", type=int, metavar="N", help=text)(call)  # type: ignore[return-value]


class ListType(click.ParamType):  # type: ignore[type-arg]
    """Values with commas between, in brackets or not."""

    name = "list"

    def __init__(self, entry: Any) -> None:
        self.entry = entry

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        """Convert each entry."""
        if isinstance(value, list):
            return value
        return [self.entry.convert(part.strip(), param, ctx) for part in value.strip("[] ").split(",") if part.strip()]


def _type_of(kind: Kind) -> Any:
    """Return how an option's text becomes a value; bounds are checked by the settings."""
    entry = click.Choice(kind.choices) if kind.choices else convert_type(kind.type)
    return ListType(entry) if kind.is_list else entry


def _metavar_of(kind: Kind) -> str:
    one = "NAME" if kind.choices else {int: "N", float: "X", str: "TEXT", bool: ""}[kind.type]
    return f"{one},..." if kind.is_list else one


def _help_of(settings: type[Settings], name: str) -> str:
    """Word a setting: its description, choices and default."""
    field, value = settings.model_fields[name], settings.model_fields[name].get_default(call_default_factory=True)
    if isinstance(value, bool):
        value = "on" if value else "off"
    elif isinstance(value, list):
        value = ",".join(map(str, value))
    elif isinstance(value, float):
        value = f"{value:g}"
    notes = [", ".join(settings.kind_of(name).choices), f"default: {value}" if value != "" else ""]
    end = f" ({'; '.join(filter(None, notes))})" if any(notes) else ""
    return f"{(field.description or '').removesuffix('.')}{end}."


def settings_options(settings: type[Settings], *frequent: str, only: bool = False,
                     without: Collection[str] = ()) -> Callable[[F], F]:
    """Return a decorator that adds an option for each setting; the function gets those that are given as ``given``.

    Parameters
    ----------
    settings
        The declaration, from which type, help and default of each option are taken.
    frequent
        Settings that the help lists first.
    only
        Whether the others have no option.
    without
        Settings that have options of another kind.
    """
    names = [*frequent, *(n for n in settings.model_fields if n not in (*frequent, "dataset", *without) and not only)]

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            values = {name: options.pop(name) for name in names}
            return function(*arguments, given={k: v for k, v in values.items() if v is not None}, **options)

        for name in reversed(names):
            kind, flag, text = settings.kind_of(name), f"--{name.replace('_', '-')}", _help_of(settings, name)
            panel = FREQUENT if name in frequent else ALL
            if kind.type is bool:
                option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=text, panel=panel)
            else:
                option = click.option(flag, name, type=_type_of(kind), metavar=_metavar_of(kind), default=None,
                                      help=text, panel=panel)
            call = option(call)
        return call  # type: ignore[return-value]

    return decorate


#: Settings that ``budget_options`` sets.
SEARCHED = ("budget", "unit", "search_seconds")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class AmountType(click.ParamType):  # type: ignore[type-arg]
    """A number above 0 with its unit; without one, the first unit.

    Parameters
    ----------
    name
        What it is an amount of.
    units
        The units.
    example
        An amount as a user may type it.
    settings
        The settings that a number and a unit stand for.
    """

    def __init__(self, name: str, units: Sequence[str], example: str,
                 settings: Callable[[float, str], dict[str, Any]]) -> None:
        self.name, self.units, self.example, self.settings = name, units, example, settings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return the settings that it stands for."""
        match = re.fullmatch(rf"(\d+\.?\d*|\.\d+)\s*({'|'.join(self.units)})?", str(value).strip().lower())
        if match is None or not float(match[1]) > 0:
            *others, last = self.units
            self.fail(f"{value!r} is no {self.name}; give a number and {', '.join(others)} or {last}, such as "
                      f"{self.example}", param, ctx)
        return self.settings(float(match[1]), match[2] or self.units[0])


BUDGET = AmountType("price", ("ge", "gates", "luts"), "7500ge", lambda price, unit: {"budget": price, "unit": unit})
#: As ``BUDGET``, or a time.
PRICE = AmountType("price", ("ge", "gates", "luts", "ms"), "7500ge", lambda price, unit: (
    {"budget": price * GATES_PER_MS, "unit": "gates"} if unit == "ms" else {"budget": price, "unit": unit}))
DURATION = AmountType("time", tuple(_SECONDS), "10m", lambda time, unit: {"search_seconds": time * _SECONDS[unit]})


def budget_options(*, required: bool, effort: bool = False) -> Callable[[F], F]:
    """Return the options ``--budget`` and ``--time`` of a search; the function gets their settings as ``search``.

    With ``effort`` the budget may be a time of an answer, and the time is that of a tuning too.
    """
    price, units = (PRICE, "ge|gates|luts|ms") if effort else (BUDGET, "ge|gates|luts")
    tuning = ", or in which --effort best begins trials (default: 15m)" if effort else ""
    milliseconds = "; of ms: 4,800 gates each, a rough estimate for a Cortex-M0+ of 48 MHz" if effort else ""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*arguments: Any, budget: dict[str, Any] | None, time: dict[str, Any] | None, **options: Any) -> Any:
            return function(*arguments, search=(budget or {}) | (time or {}), **options)

        call = click.option("--time", type=DURATION, metavar="N[s|m|h]",
                            help=f"Time of the search (default: 60s){tuning}.")(call)
        return click.option("--budget", type=price, required=required, metavar=f"N[{units}]",
                            help=f"Price that an exact search brings the whole circuit to{milliseconds}.")(call)  # type: ignore[return-value]

    return decorate


set_option = click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", panel=FREQUENT,
                          help="Any setting as in config.toml, for example --set widths=[4000,4000].")


def run_options(function: F) -> F:
    """Add the options of a training into a run directory: ``--resume``, ``--overwrite``, ``--threads`` and others."""
    return resume_option(overwrite_option(data_dir_option(threads_option(set_option(function)))))


def with_assignments(settings: Settings, assignments: tuple[str, ...]) -> Any:
    """Return ``settings`` with what ``--set`` gives."""
    return settings.with_text("\n".join(assignments), "--set") if assignments else settings
