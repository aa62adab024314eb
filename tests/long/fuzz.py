"""Feed the firmware hostile input, a million by default: `make fuzz`, `make fuzz INPUTS=5000`.

Each portion has a seed of its own and a fresh MicroPython, every other one the newest umqtt. Exit
status 1 and the failing test's output at the first input that does what it must not.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

PORTION = 10_000
ROOT = Path(__file__).parents[2]
TEST = "tests/firmware/test_fuzz.py"


def main() -> int:
    """Run all portions; return the exit status."""
    parser = argparse.ArgumentParser(description="Feed the firmware hostile input.")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many (1000000)")
    parser.add_argument("--seed", type=int, default=1, help="where to begin (1)")
    args = parser.parse_args()
    began, done, seed = time.monotonic(), 0, args.seed
    while done < args.inputs:
        portion = min(PORTION, args.inputs - done)
        if not _survived(portion, seed):
            print(f"failed: {TEST} with FUZZ_INPUTS={portion} FUZZ_SEED={seed}")
            return 1
        done, seed = done + portion, seed + 1
        print(f"{done} inputs in {time.monotonic() - began:.0f} s", flush=True)
    print(f"{done} hostile inputs, seeds {args.seed} to {seed - 1}: no harm done")
    return 0


def _survived(inputs: int, seed: int) -> bool:
    version = ("1.3.4", "1.8.0")[seed % 2]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", TEST, "-k", version, "--timeout", "600"],
        cwd=ROOT,
        env=os.environ | {"FUZZ_INPUTS": str(inputs), "FUZZ_SEED": str(seed)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(done.stdout)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
