"""Two runs compared: where they part, in deed or in time."""

from typing import Any

import pytest

from k8slab.viz import two_timelines
from tests.viz import pretend
from tests.viz.legibility import faults

ABOUT = ("Pod/default/web",)


def run(delay: float, last: str = "remove", idle: float = 0.0) -> Any:
    made = pretend.Pretend()
    made.run(idle)
    made.write("you", pretend.pod("web", "worker-1"), "create")
    made.run(1)
    made.note("you", "event", "Pod/default/web", "Killing")
    made.write("you", pretend.pod("web", "worker-1", state="Terminating"), "delete")
    made.run(delay)
    made.note("containerd/worker-1", "exit", "Pod/default/web", "container web: Completed")
    made.write("kubelet/worker-1", pretend.pod("web"), last)
    return made


def test_runs_that_are_one_do_not_part() -> None:
    figure = two_timelines({"a": run(2), "b": run(2)}, about=ABOUT)
    assert "the same deeds at the same times" in figure.alt
    assert "*" not in figure.text


def test_runs_part_at_the_first_deed_that_comes_later() -> None:
    figure = two_timelines({"a": run(2), "b": run(7)}, about=ABOUT)
    assert "from deed 3 on" in figure.alt
    assert "   *   +3.000  containerd/worker-1: exit Pod web" in figure.text
    assert "   *   +8.000  containerd/worker-1: exit Pod web" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_runs_part_at_the_first_deed_that_is_another_one() -> None:
    assert "from deed 4 on" in two_timelines(
        {"a": run(2), "b": run(2, "update status")}, about=ABOUT
    ).alt  # fmt: skip


def test_each_run_is_timed_from_its_own_beginning() -> None:
    figure = two_timelines({"a": run(2), "b": run(2, idle=50)}, about=ABOUT, since=(0, 50))
    assert "the same deeds at the same times" in figure.alt


def test_long_runs_are_cut_around_the_parting() -> None:
    one, other = run(2), run(2)
    for number in range(40):
        one.write("kubelet/worker-1", pretend.pod("web"), "update status")
        other.write(
            "kubelet/worker-1", pretend.pod("web"), "patch" if number > 30 else "update status"
        )
    figure = two_timelines({"a": one, "b": other}, about=ABOUT)
    assert "from deed 36 on" in figure.alt
    assert "from deed 28 on" in str(figure.drawing)
    assert faults(figure.drawing, (1.0,)) == []


def test_two_runs_with_deeds_are_needed() -> None:
    with pytest.raises(ValueError, match="two runs are compared"):
        two_timelines({"a": run(1)}, about=ABOUT)
    with pytest.raises(ValueError, match="nothing about Service"):
        two_timelines({"a": run(1), "b": run(1)}, about=("Service/*",))
