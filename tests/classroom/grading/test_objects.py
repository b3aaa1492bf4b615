from __future__ import annotations

import inspect
from typing import Any

import pytest

from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
from k8slab.classroom.grading.kernel import Kernel, Limits
from k8slab.classroom.grading.objects import assembled, describe
from k8slab.classroom.grading.remote import fetch

CELL = """
class Mine:
    weight = 7
    def score(self, pod, node, pods): return len(pods) + node
    def filter(self, pod): return pod["size"] < 3
    def stub(self): raise NotImplementedError
"""


@pytest.mark.parametrize("answer", ["Mine", "Mine()"])
def test_an_object_stays_in_its_kernel_and_its_methods_are_called_there(answer: str) -> None:
    with Kernel(Limits()) as kernel:
        kernel.run(CELL)
        mine = fetch(kernel, answer)
        assert (mine.name, mine.weight, repr(mine)) == ("Mine", 7, "a Mine")
        assert list(inspect.signature(mine.score).parameters)[-3:] == ["pod", "node", "pods"]
        assert mine.score("pod", 5, pods=["a", "b"]) == 7
        assert mine.filter({"size": 2}) is True
        with pytest.raises(LearnerError, match=r"KeyError: 'size' at `def filter.*`"):
            mine.filter({})
        with pytest.raises(NotStartedError):
            mine.stub()


def test_only_what_a_notebook_defines_is_such_an_object() -> None:
    assert describe(Kernel) is None
    assert describe({"a": 1}) is None
    assert describe(len) is None
    assert describe(type("Empty", (), {"__module__": "__main__"})) is None
    called = {"__module__": "__main__", "__call__": len, "helper": len}
    assert describe(type("Function", (), called)()) is None
    assert describe(type("Function", (), called)) is not None


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "Mine", "fields": [], "methods": {}},
        {"type": "Mine", "fields": {"_kind": 1}, "methods": {}},
        {"type": "Mine", "fields": {}, "methods": {"score": 3}},
        {"type": "Mine", "fields": {}, "methods": {"score()": []}},
        {"type": "Mine", "fields": {}, "methods": {"score": ["not a name"]}},
        {"type": "Mine", "fields": {}, "methods": {"score": ["a", "a"]}},
    ],
)
def test_what_describe_did_not_send_is_refused(message: Any) -> None:
    with pytest.raises(
        ValueError, match=r"not sent by describe|no public name|not a valid|duplicate"
    ):
        assembled(message, lambda name: lambda: name)
