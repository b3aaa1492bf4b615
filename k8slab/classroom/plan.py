"""The plan of the course: its chapters in order, and what each one needs.

`PLAN` has a row for each chapter, those that are still to be written included; `written` says
whether a chapter is there. The map in `progress()` is drawn from it.

Rule of use: numbers never change; a chapter needs only chapters with smaller numbers.

Upstream: none
"""

from __future__ import annotations

from importlib.util import find_spec

import msgspec


class Stop(msgspec.Struct, frozen=True):
    """One chapter on the way through the course."""

    number: str
    title: str
    needs: tuple[str, ...] = ()  # chapters that should come before


PLAN = (
    Stop("00", "Meet the lab"),
    Stop("01", "The cast: control plane and worker node", ("00",)),
    Stop("02", "One write, many watchers: API server, etcd, reconcile", ("01",)),
    Stop("03", "From manifest to running", ("02",)),
    Stop("04", "The life of a Pod", ("03",)),
    Stop("05", "Where Pods land: filter, score, bind", ("03",)),
    Stop("06", "Why Services exist", ("03",)),
    Stop("07", "Names: cluster DNS", ("06",)),
    Stop("08", "How ReplicaSets drive Pod creation and scheduling", ("05", "06")),
    Stop("09", "Rollouts: two ReplicaSets and a budget", ("08",)),
    Stop("10", "From selector to EndpointSlice", ("06",)),
    Stop("11", "From EndpointSlice to network rules", ("10",)),
    Stop("12", "One request, end to end", ("07", "11")),
    Stop("13", "When things die: nodes, control plane, graceful endings", ("09", "12")),
    Stop("14", "Scale and other data planes", ("11",)),
    Stop("15", "Incident room", ("12", "13")),
    Stop("16", "Your own Kubernetes", ("14", "15")),
)


def written(number: str) -> bool:
    """Say whether the chapter is there yet."""
    return find_spec(f"k8slab.classroom.chapters.ch{number}") is not None
