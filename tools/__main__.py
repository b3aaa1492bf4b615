"""Run one command of `course.py` in the environment that it made: `python -m tools test`."""

import importlib
import os
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run the command named first; return its exit status."""
    command, *rest = arguments
    # The environment is not activated: its programs (kubectl, jupyter) are found like this.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    status: int = importlib.import_module(f"tools.{command.replace('-', '_')}").main(rest)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
