"""Replays a recorded scenario of real controllers and tells what ours wrote, in the same words."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import yaml

from k8slab.api.scheme import resource_for
from tests.control_plane.controllers.conftest import ControllerLab

RECORDED = Path(__file__).parents[4] / "shared" / "reference" / "controllers.json"
# Actors as the recording calls them, where our user has the same name with another ending.
LONG = {"sts": "StatefulSet", "deploy": "Deployment", "pod": "Pod", "quota": "ResourceQuota"}
SHORT = {"ControllerRevision": "CR", "Pod": "p", "ReplicaSet": "RS", "EndpointSlice": "s"}


def scenario(name: str) -> dict[str, Any]:
    recorded = json.loads(RECORDED.read_text())
    return next(found for found in recorded if found["id"] == name)


def replay(lab: ControllerLab, steps: list[dict[str, Any]]) -> None:
    for step in steps:
        if "apply" in step:
            lab.apply(step["apply"])
        elif "kubectl" in step:
            _command(lab, shlex.split(step["kubectl"]))
        elif "until" in step:
            lab.until(lambda words=step["until"]: _holds(lab, words))  # type: ignore[misc]
        elif "settle" in step:
            lab.run(step["settle"])


def _command(lab: ControllerLab, words: list[str]) -> None:
    if words[0] == "scale":
        kind, _, name = words[1].partition("/")
        replicas = int(words[2].partition("=")[2])
        lab.patch(LONG[kind], name, {"spec": {"replicas": replicas}})
    elif words[:2] == ["set", "image"]:
        kind, _, name = words[2].partition("/")
        container, _, image = words[3].partition("=")
        spec = {"spec": {"containers": [{"name": container, "image": image}]}}
        lab.patch(LONG[kind], name, {"spec": {"template": spec}})
    elif words[:2] == ["delete", "pod"]:
        oldest = min(lab.all("Pod"), key=lambda pod: pod.metadata.name)
        lab.request("delete", "Pod", oldest.metadata.name)
    elif words[0] == "patch":
        lab.patch(LONG[words[1]], words[2], yaml.safe_load(words[4]))
    else:
        raise NotImplementedError(f"kubectl {words}")


def _holds(lab: ControllerLab, words: str) -> bool:
    number, _, what = words.partition(" ")
    if what == "pods":
        return len(lab.all("Pod")) == int(number)
    if what == "ready":
        return bool(lab.all("StatefulSet")[0].status.readyReplicas == int(number))
    if words == "revisions equal":
        status = lab.all("StatefulSet")[0].status
        return bool(status.currentRevision == status.updateRevision)
    if words == "job finished":
        return any(c.type in ("Complete", "Failed") for c in lab.all("Job")[0].status.conditions)
    if words.startswith("rollout of"):
        status, spec = lab.all("Deployment")[0].status, lab.all("Deployment")[0].spec
        counts = (status.updatedReplicas, status.replicas, status.availableReplicas)
        return counts == (spec.replicas,) * 3
    raise NotImplementedError(words)


def wrote(lab: ControllerLab, user: str) -> list[str]:
    """What a controller wrote beside status and Events, as the recording says it."""
    found: list[str] = []
    revisions: dict[str, str] = {}
    for record in lab.sim.trace:
        subject = record.subject.split("/")
        if not record.revision or not record.component.endswith(user) or "status" in record.verb:
            continue
        kind, name = subject[0], subject[-1]
        if kind == "Event":
            continue
        if kind == "ControllerRevision":
            name = revisions.setdefault(name, f"{name.rsplit('-', 1)[0]}-CR{len(revisions) + 1}")
        if kind == "Pod":
            name = f"{name.rsplit('-', 1)[0]}-p*"
        found.append(f"{record.verb} {resource_for(kind).plural} {name}")
    return found


def recorded_writes(found: dict[str, Any], actor: str) -> list[str]:
    actors = found["core_by_actor"]
    assert actors[actor]["stable_over_runs"]
    return list(actors[actor]["sequence"])


def final_status(lab: ControllerLab, kind: str, name: str) -> dict[str, Any]:
    """The numbers in an object's status, without those that are 0."""
    import msgspec

    status = msgspec.to_builtins(lab.get(kind, name).status)
    return {key: value for key, value in status.items() if isinstance(value, int) and value}


def recorded_status(found: dict[str, Any], plural: str) -> dict[str, Any]:
    status = found["final"][plural][0]["status"]
    return {key: value for key, value in status.items() if isinstance(value, int) and value}
