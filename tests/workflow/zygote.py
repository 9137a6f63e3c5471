"""A process that has imported everything and forks a verb of the command line whenever a line asks for one.

A line on standard input is ``{"arguments": [...], "log": FILE}``. The first answer is the number of the process that runs
the verb, in a session of its own, once it is about to begin. The process is waited for when another line comes, so that the
number is its own till then; the second answer is its exit status. What it starts carries the variable MARK.
"""

import json
import os
import sys

from hardwire import cli
from hardwire.runs import experiment

MARK = "HARDWIRE_TEST_KILLS"


def child(arguments: list[str], log: str, ready: int) -> None:
    """Run a verb and end the process."""
    os.setsid()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.environ[MARK] = log
    os.write(ready, b"!")
    os.close(ready)
    code = 70
    try:
        code = cli.main(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Answer lines until there are no more."""
    experiment.CHECKPOINT_SECONDS = 0.0
    os.fsync = lambda file: None  # the power stays on
    while line := sys.stdin.readline():
        job = json.loads(line)
        heard, ready = os.pipe()
        process = os.fork()
        if not process:
            os.close(heard)
            child(job["arguments"], job["log"], ready)
        os.close(ready)
        os.read(heard, 1)
        os.close(heard)
        print(process, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    for module in ("logic.record", "crossbar.record", "spiking.record", "logic.training.search", "workflow.logic", "workflow.report",
                   "report.plots.logic", "report.plots.crossbar", "report.plots.spiking"):
        __import__(f"hardwire.{module}")
    import torch

    torch.set_num_threads(1)
    print("ready", flush=True)
    main()
