"""/metrics of the API server: what it counts is what was asked."""

from __future__ import annotations

import re

from k8slab.gateway.messages import HttpStream
from tests.gateway.conftest import CONFIG_MAPS, Lab

SAMPLE = re.compile(r"(\w+)\{(.*)\} (\d+)")


def samples(lab: Lab, family: str) -> dict[tuple[str, ...], int]:
    """The values of a family, by the labels that are not empty, but for the component."""
    found = {}
    for line in lab.send("GET", "/metrics").body.decode().splitlines():
        matched = SAMPLE.fullmatch(line)
        if matched and matched[1] == family:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', matched[2]))
            del labels["component"]
            found[tuple(text for text in labels.values() if text)] = int(matched[3])
    return found


def test_each_request_is_counted_with_its_code(lab) -> None:
    before = samples(lab, "apiserver_request_total")
    lab.config_map("a")
    lab.config_map("a")
    lab.answer("PATCH", f"{CONFIG_MAPS}/a", {}, content_type="application/merge-patch+json")
    lab.apply("new", "me", {"k": "v"})
    lab.get(CONFIG_MAPS)
    lab.get("/api/v1/configmaps")
    after = samples(lab, "apiserver_request_total")
    assert {labels: n - before.get(labels, 0) for labels, n in after.items()} == {
        **dict.fromkeys(before, 0),
        ("201", "configmaps", "resource", "POST", "v1"): 1,
        ("409", "configmaps", "resource", "POST", "v1"): 1,
        ("200", "configmaps", "resource", "PATCH", "v1"): 1,
        ("201", "configmaps", "resource", "APPLY", "v1"): 1,
        ("200", "configmaps", "namespace", "LIST", "v1"): 1,
        ("200", "configmaps", "cluster", "LIST", "v1"): 1,
    }


def test_open_watches_and_stored_objects_are_counted(lab) -> None:
    lab.config_map("a")
    stream = lab.send("GET", f"{CONFIG_MAPS}?watch=1")
    assert isinstance(stream, HttpStream)
    watch = ("configmaps", "namespace", "WATCH", "v1")
    assert samples(lab, "apiserver_longrunning_requests") == {watch: 1}
    task = lab.sim.spawn(stream.produce(lambda chunk: None), "watch")
    lab.sim.run(lab.sim.now + 1)
    task.kill()
    lab.sim.run(lab.sim.now)
    assert samples(lab, "apiserver_longrunning_requests") == {}


def test_objects_are_counted_by_group_and_resource(lab) -> None:
    lab.config_map("a")
    text = lab.send("GET", "/metrics").body.decode()
    assert 'apiserver_resource_objects{group="",resource="configmaps"} 1\n' in text
    assert 'apiserver_resource_objects{group="apps",resource="deployments"} 0\n' in text
    assert "# TYPE apiserver_request_total counter\n" in text
