"""`hardwire bench train`, its result kept: training steps on one thread beside a torch perceptron, and their memory.

    python benchmarks/train_step.py [--runs N]

What is timed, the goals and the check are in ``hardwire.bench.train``.
"""

import argparse
import sys

from common import keep, refuse

from hardwire.bench import Refused, run


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=60)
    try:
        keep(run("train", runs=options.parse_args().runs, say=lambda text: print(text, file=sys.stderr, flush=True)))
    except Refused as refused:
        refuse(str(refused).removeprefix("benchmark refused: "))


if __name__ == "__main__":
    main()
