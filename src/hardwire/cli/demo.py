"""The verb ``demo``: the main job, from samples to a proved circuit."""

import shutil
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import write_text
from ..logic import settings as presets
from ..logic.settings import LogicSettings
from ..runs.directory import RunDirectory
from .circuit import exit_code
from .output import Output
from .progress import watching
from .verbs import out_option, settings_options, threads_option, verb

#: File that tells a folder of an earlier demo.
DEMO = "demo.txt"


@verb("hardwire demo --out demo-out")
@out_option("Run directory (default: demo-out).", required=False, default="demo-out")
@settings_options(LogicSettings, "seed", "search_rounds", only=True)
@threads_option
def demo(output: Output, out: str, given: dict[str, Any]) -> int:
    """The main job on the embedded digits: search, freeze, optimise, emit, prove, report."""
    settings, folder = presets.search_preset("digits").changed(**presets.DEMO_SEARCH | given), Path(out)
    clear_demo(folder)

    from ..logic.record import LOGIC
    from ..report import format_text
    from ..runs.experiment import train
    from ..workflow.emitted import emit_path
    from ..workflow.logic import lower_run, optimize_run, verify_run
    from ..workflow.report import report_run

    output.say(f"1/6 search on the embedded digits, to {settings.budget:g} NAND2 equivalents")
    with watching(output) as listener:
        train(LOGIC, settings, folder, listen=listener)
    output.say("2/6 freeze into gates")
    lower_run(folder)
    output.say("3/6 optimise")
    optimize_run(folder, progress=output.say)
    output.say("4/6 emit C and Verilog")
    for target in ("c", "verilog"):
        emit_path(folder, target, folder / target)
    output.say("5/6 prove and simulate")
    verdicts = verify_run(folder, progress=output.say)
    output.say("6/6 measure and report")
    record = report_run(folder).to_json()
    output.answer(record, format_text(record, folder=folder))
    return exit_code(verdicts)


def clear_demo(folder: Path) -> None:
    """Make the demo's folder, or empty an earlier demo's; a folder with anything else in it is left alone."""
    if folder.is_dir() and (folder / DEMO).is_file():
        with RunDirectory(folder).claim():  # a demo that runs is left alone
            shutil.rmtree(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is no earlier demo; choose another folder with --out")
    write_text(folder / DEMO, "Written by `hardwire demo`, which empties this folder when it runs again.\n")
