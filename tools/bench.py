"""`course.py bench`: run benchmarks/run.py, all of it or the parts that are named."""

import subprocess
import sys


def main(arguments: list[str]) -> int:
    """Measure; return the exit status."""
    return subprocess.run([sys.executable, "-m", "benchmarks.run", *arguments]).returncode
