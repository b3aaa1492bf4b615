"""Letting a learner's answer work, whatever it is: functions that raise, commands that fail.

`call` runs a learner's function and turns what goes wrong into `LearnerError`, a sentence with the
line to look at; `Terminal` runs a learner's kubectl commands in a fresh cluster, away from the
files of the machine.

Rule of use: graders never run anything of a learner's in another way.

Upstream: none
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8slab.client import patience
from k8slab.kubectl import Kubectl

if TYPE_CHECKING:
    from k8slab.cluster import Cluster
    from k8slab.kubectl.kubectl import Result

COMMAND_LIMIT = 600.0  # virtual seconds for one command
TOO_LONG = 20_000  # characters of a command


class NotStartedError(Exception):
    """The answer is still the stub."""


class LearnerError(Exception):
    """The learner's own code failed; the text says how, for the learner."""


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what the learner's function returns.

    Raises NotStartedError for a stub, and LearnerError for whatever else it raises, or if it never
    ends.
    """
    try:
        return patience.patiently(function, *arguments)
    except NotImplementedError:
        raise NotStartedError from None
    except patience.EndlessError as problem:
        raise LearnerError(f"Your function {problem}. Which loop never ends?") from None
    except (LearnerError, NotStartedError):
        raise  # an answer that runs elsewhere has said already how it failed
    except RecursionError:
        raise LearnerError("Your function calls itself without end.") from None
    except Exception as problem:
        raise LearnerError(describe(problem)) from None


def describe(problem: BaseException) -> str:
    """Return what the learner's code raised and in which of its lines, in one sentence."""
    what = f"{type(problem).__name__}: {problem}".rstrip(": ")
    frames = traceback.extract_tb(problem.__traceback__)
    ours = (__file__, patience.__file__)
    theirs = [frame for frame in frames if frame.filename not in ours]
    if not theirs:
        return f"Your function could not be called as it is needed: {what}."
    line = (theirs[-1].line or "").strip()
    where = f" at `{line}`" if line else f" in line {theirs[-1].lineno}"
    return f"Your function raised {what}{where}."


class Terminal:
    """A shell with nothing but kubectl in a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._kubectl = Kubectl(
            cluster.world.transport("you"), lambda: cluster.now, sleep=cluster.sim.sleep
        )

    def run(self, command: str) -> Result:
        """Run a command; lines below the first are its stdin, as in a `%%kubectl` cell.

        Raises LearnerError if it never ends.
        """
        first, stdin = split(command[:TOO_LONG])
        try:
            coroutine = self._kubectl.run(first, stdin)
            return self._cluster.sim.complete(coroutine, f"kubectl {first}", COMMAND_LIMIT)
        except TimeoutError:
            raise LearnerError(
                f"`{first}` was still running after {COMMAND_LIMIT:g} virtual seconds."
            ) from None


def split(command: str) -> tuple[str, str]:
    r"""Return a command line and its stdin, without the marks of a shell's here-document.

    >>> split("apply -f - <<EOF\nkind: Pod\nEOF")
    ('apply -f -', 'kind: Pod')
    """
    first, _, below = command.strip().partition("\n")
    first, here, marker = first.partition("<<")
    end = marker.strip(" -'\"")
    lines = [line for line in below.splitlines() if not here or line.strip() != end]
    return first.strip(), "\n".join(lines)
