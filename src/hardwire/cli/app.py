"""The command line: verbs that load when they are called.

A mistake ends with one sentence and exit code 2, a refuted proof with 1, SIGINT with 130 and SIGTERM with 143.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

import rich_click as click
from click.exceptions import Exit

from .. import __doc__ as package_doc
from .. import __version__
from ..core.errors import HardwireError, WrongPassError
from ..core.extras import missing
from ..core.programs import allow, end_all
from .output import FIRST, OUT

#: Verb -> module of this package that defines it, and what the list of verbs says.
VERBS = {
    "demo": ("demo", "The main job on the embedded digits: search, freeze, optimise, emit, prove, report."),
    "train": ("train", "Train a logic network into a run directory."),
    "lower": ("circuit", "Freeze a trained run into an exact circuit."),
    "search": ("search", "Search for the cheapest circuit, by exact changes of the training loss and the price."),
    "optimize": ("circuit", "Run the passes of a level; statistics for each."),
    "show": ("circuit", "Print and count a circuit."),
    "score": ("score", "The cost of the whole circuit: gates, tables, depth; area and delay in a cell library."),
    "emit": ("circuit", "Write a circuit for a target."),
    "flow": ("flow", "Take a circuit through outside tools to an FPGA or to standard cells."),
    "verify": ("circuit", "Prove or refute; a counterexample when refuted."),
    "run": ("circuit", "Classify samples from a .npy file."),
    "predict": ("predict", "Predict new samples with a trained run."),
    "report": ("report", "The record of a run as text, JSON and HTML."),
    "sweep": ("tuning", "Run a grid or a search over settings; the front of validation accuracy against cost."),
    "bench": ("bench", "Run a benchmark, or list them with their goals."),
    "crossbar": ("crossbar", "Train a network in analog memory into a run directory, or fit a device."),
    "spiking": ("spiking", "Train a spiking network without labels on an array of memory cells into a run directory."),
}
#: Verbs that train into a run directory.
TRAINING = ("train", "search", "crossbar", "spiking")


def way_on(called: str, out: str | None) -> str:
    """Word how an interrupted verb goes on; empty where it does not."""
    from ..runs.directory import RunDirectory

    if called == "sweep":
        return "; the same command goes on"
    return f"; {RunDirectory(out).way_on()}" if called in TRAINING and out else ""


#: What an interrupted verb says, by its exit code.
STOPPED = {130: "interrupted", 143: "terminated"}
#: Seconds after a signal in which a verb ends in order; then it is ended where it is, in the middle of a proof say.
GRACE = 5.0


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a verb as Ctrl-C does."""


class Verbs(click.RichGroup):
    """A group that knows its verbs by name and sentence, and loads the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the table."""
        return list(VERBS)

    def resolve_command(self, ctx: click.Context, args: list[str]
                        ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb and load its module."""
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return None, None, rest
        return name, getattr(import_module(f".{VERBS[name][0]}", __package__), name), rest


app = Verbs(name="hardwire", help=package_doc, subcommand_metavar="VERB ...", no_args_is_help=False,
            commands={name: click.RichCommand(name=name, help=text) for name, (_, text) in VERBS.items()})
click.version_option(__version__, message="%(version)s")(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0; 1 when a proof fails; 2 for a mistake; 130, 141 and 143 when interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug, called, out = "--debug" in arguments, "", None
    over = threading.Event()
    try:
        with _interruptible(over, last=argv is None), app.make_context("hardwire", arguments) as context:
            try:
                return int(app.invoke(context) or 0)
            finally:
                called, out = context.invoked_subcommand or "", context.meta.get(OUT)
    except Exit as stop:
        return stop.exit_code
    except BrokenPipeError:  # the reader has gone, as in `hardwire show ... | head`
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141
    except KeyboardInterrupt as stop:
        over.set()
        return _stopped(143 if isinstance(stop, Terminated) else 130, way_on(called, out))
    except ImportError as error:
        verb = next((word for word in arguments if word in VERBS), "")
        worded = error if isinstance(error, HardwireError) else missing(error, f"hardwire {verb}".strip())
        if debug or worded is None:
            raise
        print(f"hardwire: {sentence(worded)}", file=sys.stderr, flush=True)
        return 2
    except (HardwireError, OSError, MemoryError, click.ClickException) as error:
        if debug:
            raise
        print(f"hardwire: {sentence(error)}", file=sys.stderr, flush=True)
        return 1 if isinstance(error, WrongPassError) else 2


@contextmanager
def _interruptible(over: threading.Event, *, last: bool) -> Iterator[None]:
    """Let SIGINT and SIGTERM kill the outside programs of every thread and raise in the main thread, inside the block.

    A process that has not ended ``GRACE`` seconds later, since another thread still works, is ended; where this is not
    the ``last`` that it does, only the block is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []

    def stop(number: int, _: FrameType | None) -> None:
        end_all()
        timers.append(threading.Timer(GRACE, _end, (128 + number, over)))
        timers[-1].daemon = True
        timers[-1].start()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]  # as nohup leaves it
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if not last:
            for timer in timers:
                timer.cancel()
        allow()


def _end(code: int, over: threading.Event) -> None:
    if not over.is_set():
        _stopped(code)
    os._exit(code)


def _stopped(code: int, way_on: str = "") -> int:
    if FIRST:
        print(f"hardwire: {STOPPED[code]}{way_on}", file=sys.stderr, flush=True)
    return code


def sentence(error: BaseException) -> str:
    """Say what went wrong, on one line."""
    if isinstance(error, click.UsageError):
        text = error.format_message()
        place = error.ctx.command_path if error.ctx else "hardwire"
        return " ".join(f"{text[:1].lower()}{text[1:].rstrip('.')}; see `{place} --help`".split())
    return " ".join(str(error).split()) or "not enough memory"
