from __future__ import annotations

from importlib.util import find_spec

import pytest

from k8slab import classroom
from k8slab.classroom import environment
from k8slab.classroom.environment import SelfCheck, self_check


def test_here_everything_but_the_widgets_is_well() -> None:
    results = dict(self_check().results)
    assert results.pop("widgets can be made").startswith("forms need a notebook")
    assert set(results.values()) == {""}


def test_a_failing_check_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGES", ("msgspec", "no_such_package"))
    found = dict(self_check().results)["every package is there"]
    assert found.startswith("no_such_package cannot be found; close JupyterLab")


def test_a_check_that_raises_is_a_line_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise OSError("disk full")

    monkeypatch.setattr(environment, "CHECKS", {"figures can be drawn": broken})
    shown = self_check()
    assert not shown.ok
    assert shown.text.startswith("no   figures can be drawn: OSError: disk full; close JupyterLab")


def test_the_page_says_what_the_text_says() -> None:
    bundle = SelfCheck([("one", ""), ("two", "do `this`")])._repr_mimebundle_()
    assert bundle["text/plain"].splitlines()[1] == "no   two: do `this`"
    assert "two: do <code>this</code>" in bundle["text/html"]


def test_no_module_hides_a_function_of_the_same_name() -> None:
    assert not [name for name in classroom.__all__ if find_spec(f"k8slab.classroom.{name}")]
