"""How kubectl reports what went wrong: refusals of the API server, mistakes on the command line.

`report(error)` is the text on stderr and the exit code. A refusal says "Error from server
(Reason)", invalid fields are listed one a line, and everything else begins with "error:". Several
errors of one command are reported together, each on its own line.

Rule of use: a command raises; only `Kubectl.run` reports.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.errors import ApiError
from k8slab.api.meta import Status
from k8slab.client import ConnectionFailed


class CommandError(Exception):
    """A command that could not be carried out, in kubectl's words; ends with `code`."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class BareError(CommandError):
    """What kubectl says without "error:" before it."""


class UsageError(CommandError):
    """A command line that makes no sense."""


class Exit(CommandError):  # noqa: N818 (no error: all has been said)
    """An end with an exit code of its own, about which everything has been said."""


class SeveralErrors(Exception):  # noqa: N818 (the name says what happened)
    """All that went wrong while a command went through many objects."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = tuple(errors)


KNOWN_ERRORS = (CommandError, ApiError, ConnectionFailed, SeveralErrors)


def raise_all(errors: Sequence[Exception]) -> None:
    """Raise what was collected: nothing, the one error, or all of them together."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SeveralErrors(errors)


def while_doing(verb: str, source: str, error: ApiError) -> ApiError:
    """Return a refusal that says what was being done with which file."""
    message = f'error when {verb} "{source}": {error.status.message}'
    return ApiError(replace(error.status, message=message))


def report(error: Exception) -> tuple[str, int]:
    """Return what kubectl prints about an error, and its exit code."""
    if isinstance(error, Exit):
        return error.message, error.code
    if isinstance(error, SeveralErrors):
        return "".join(_message(each) + "\n" for each in error.errors), 1
    if isinstance(error, ApiError) and error.reason == "Invalid":
        return _invalid(error.status), 1
    standard = error.message if isinstance(error, BareError) else _standard(error)
    if standard is None:
        text = str(error)
        standard = text if text.startswith("error: ") else f"error: {text}"
    end = "" if standard.endswith("\n") else "\n"
    return standard + end, error.code if isinstance(error, CommandError) else 1


def _message(error: Exception) -> str:
    return _standard(error) or str(error)


def _standard(error: Exception) -> str | None:
    if isinstance(error, ConnectionFailed):
        text = str(error)
        refused = text.startswith("The connection to the server")
        return text if refused else f"Unable to connect to the server: {text}"
    if not isinstance(error, ApiError):
        return None
    if error.reason == "Unauthorized":
        return f"error: You must be logged in to the server ({error.message})"
    reason = f" ({error.reason})" if error.reason else ""
    return f"Error from server{reason}: {error.message}"


def _invalid(status: Status) -> str:
    details = status.details
    start = "The request is invalid"
    if details is None:
        return f"{start}: {status.message}\n"
    if details.kind or details.name:
        start = f'The {details.kind} "{details.name}" is invalid'
    elif status.message and not details.causes:
        start = f"{start}: {status.message}"
    causes = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in details.causes))
    if not causes:
        return start + "\n"
    if len(causes) == 1:
        return f"{start}: {causes[0]}\n"
    return f"{start}: \n" + "".join(f"* {cause}\n" for cause in causes)
