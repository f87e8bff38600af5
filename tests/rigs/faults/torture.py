"""`make torture SEED=1 CYCLES=25`: as many cycles as asked for, the books checked after each."""

import argparse
import random

from tests.rigs.faults.campaign import campaign
from tests.rigs.faults.victims import VICTIMS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--cycles", type=int, default=25)
    chosen = parser.parse_args()
    with campaign(chosen.seed) as running:
        for cycle in range(chosen.cycles):
            running.run_cycle(list(VICTIMS)[cycle % len(VICTIMS)])
        print(f"seed {chosen.seed}: {dict(running.hits)} kills hit between a reserve and its settle")


if __name__ == "__main__":
    main()
