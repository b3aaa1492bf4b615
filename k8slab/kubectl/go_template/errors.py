"""What goes wrong with a template: when it is read, and when it is run.

Upstream: text/template/parse/parse.go, text/template/exec.go
"""

from __future__ import annotations

NAME = "output"  # as kubectl calls every template


class TemplateError(ValueError):
    """A text that is no template."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"template: {NAME}:{line}: {problem}")


class RunError(ValueError):
    """A template that cannot be carried out with these data; `written` came before."""

    written = ""


class FunctionError(ValueError):
    """A function that was called with what it cannot take."""
