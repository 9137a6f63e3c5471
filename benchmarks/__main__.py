"""Run a benchmark and keep its result: ``python -m benchmarks NAME [--runs N] [--set NAME=VALUE]``."""

import argparse
import sys

from hardwire.core.errors import HardwireError

from .framework import format_result, keep
from .registry import BENCHMARKS, run


def main() -> None:
    """Run the benchmark that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--runs", type=int, metavar="N", help="repetitions of everything timed")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the benchmark")
    args = parser.parse_args()
    try:
        result = run(args.name, args.set, runs=args.runs, say=lambda text: print(text, file=sys.stderr, flush=True))
    except HardwireError as error:
        sys.exit(str(error))
    print(format_result(result))
    print(keep(result))


if __name__ == "__main__":
    main()
