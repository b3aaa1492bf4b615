"""Events in two groups: one object, two forms."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import events, load
from k8slab.api.core import Event
from k8slab.client import Request

GROUP = {"group": "events.k8s.io", "version": "v1"}
OLD = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "a"},
    "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"},
    "reason": "Started",
    "message": "Container started",
    "type": "Normal",
    "count": 3,
}
NEW = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "b"},
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "regarding": {"kind": "Pod", "namespace": "default", "name": "web"},
    "reportingController": "me",
    "reportingInstance": "me-1",
    "action": "Binding",
    "reason": "Scheduled",
    "note": "assigned",
    "type": "Normal",
}


def ask(lab: Any, verb: str, name: str = "", **fields: Any) -> Any:
    fields.setdefault("namespace", "default")
    return lab.server.handle(Request(verb=verb, resource="events", name=name, **fields))


def test_an_old_event_is_read_in_the_new_form(lab: Any) -> None:
    ask(lab, "create", body=load(OLD))
    found = ask(lab, "get", "a", **GROUP)
    assert isinstance(found, events.Event)
    assert (found.note, found.regarding.name, found.deprecatedCount) == (
        "Container started",
        "web",
        3,
    )
    assert [type(each) for each in ask(lab, "list", **GROUP).items] == [events.Event]


@pytest.mark.parametrize("body", [NEW, load(NEW)], ids=["data", "object"])
def test_a_new_event_is_read_in_the_old_form(lab: Any, body: Any) -> None:
    made = ask(lab, "create", body=body, **GROUP)
    assert isinstance(made, events.Event)
    found = ask(lab, "get", "b")
    assert isinstance(found, Event)
    assert (found.message, found.reportingComponent, found.involvedObject.name) == (
        "assigned",
        "me",
        "web",
    )


def test_a_patch_speaks_the_form_of_its_group(lab: Any) -> None:
    ask(lab, "create", body=load(OLD))
    change = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}
    kind = "application/merge-patch+json"
    patched = ask(lab, "patch", "a", body={**change, "note": "again"}, patch_type=kind, **GROUP)
    assert patched.note == "again"
    assert ask(lab, "get", "a").series.count == 2


def test_a_watch_speaks_the_form_of_its_group(lab: Any) -> None:
    stream = ask(lab, "watch", resource_version="1", **GROUP)
    ask(lab, "create", body=load(OLD))
    lab.sim.run(lab.sim.now + 1)
    batch = lab.sim.complete(stream.batch(), "watch", 1)
    assert isinstance(batch[-1].object, events.Event)
