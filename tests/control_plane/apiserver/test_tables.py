"""Tables: one line for each object, in the words of kubectl get."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.duration import human_duration
from k8slab.api.meta import timestamp
from k8slab.api.scheme import KINDS, resource_for
from k8slab.control_plane.apiserver.table_printers.pods import summary
from k8slab.control_plane.apiserver.tables import table

NOW = 1000.0


def cells(manifest: dict[str, Any], *, wide: bool = False) -> tuple[Any, ...]:
    obj = load(manifest)
    made = table(resource_for(obj), [obj], now=NOW)
    columns = made.columnDefinitions
    return tuple(
        cell
        for cell, column in zip(made.rows[0].cells, columns, strict=True)
        if wide or not column.priority
    )


def pod(status: dict[str, Any], containers: int = 1, **spec: Any) -> dict[str, Any]:
    meta = spec.pop("metadata", {})
    named = [{"name": f"c{i}", "image": "x"} for i in range(containers)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "creationTimestamp": timestamp(NOW - 90), **meta},
        "spec": {"containers": named, **spec},
        "status": status,
    }


def container(name: str = "c0", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "x", "imageID": "", "ready": False, "restartCount": 0, **fields}


RUNNING: dict[str, Any] = {"state": {"running": {"startedAt": timestamp(NOW - 60)}}, "ready": True}
COMPLETED: dict[str, Any] = {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
DELETED: dict[str, Any] = {"deletionTimestamp": timestamp(NOW)}
INIT = [{"name": "i0", "image": "x"}, {"name": "i1", "image": "x"}]
SIDECAR = [{"name": "i0", "image": "x", "restartPolicy": "Always"}]


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


def died(**terminated: Any) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": 0, **terminated}}}


@pytest.mark.parametrize(
    ("manifest", "ready", "status"),
    [
        (pod({"phase": "Pending"}), "0/1", "Pending"),
        (pod({"phase": "Failed", "reason": "Evicted"}), "0/1", "Evicted"),
        (
            pod(
                {
                    "phase": "Pending",
                    "conditions": [
                        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
                    ],
                }
            ),
            "0/1",
            "SchedulingGated",
        ),
        (pod({"phase": "Running", "containerStatuses": [container(**RUNNING)]}), "1/1", "Running"),
        (
            pod(
                {
                    "phase": "Running",
                    "containerStatuses": [container(**waiting("CrashLoopBackOff"))],
                }
            ),
            "0/1",
            "CrashLoopBackOff",
        ),
        (
            pod({"phase": "Failed", "containerStatuses": [container(**died(exitCode=3))]}),
            "0/1",
            "ExitCode:3",
        ),
        (
            pod(
                {"phase": "Failed", "containerStatuses": [container(**died(exitCode=1, signal=9))]}
            ),
            "0/1",
            "Signal:9",
        ),
        (
            pod(
                {
                    "phase": "Running",
                    "containerStatuses": [container(**COMPLETED), container("c1", **RUNNING)],
                },
                containers=2,
            ),
            "1/2",
            "NotReady",
        ),
        (
            pod(
                {
                    "phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [container(**COMPLETED), container("c1", **RUNNING)],
                },
                containers=2,
            ),
            "1/2",
            "Running",
        ),
        (
            pod(
                {
                    "phase": "Pending",
                    "initContainerStatuses": [
                        container("i0", **COMPLETED),
                        container("i1", **waiting("PodInitializing")),
                    ],
                },
                initContainers=INIT,
            ),
            "0/1",
            "Init:1/2",
        ),
        (
            pod(
                {
                    "phase": "Pending",
                    "initContainerStatuses": [container("i0", **died(exitCode=1, reason="Error"))],
                },
                initContainers=INIT,
            ),
            "0/1",
            "Init:Error",
        ),
        (
            pod(
                {
                    "phase": "Running",
                    "initContainerStatuses": [container("i0", started=True, **RUNNING)],
                    "containerStatuses": [container(**RUNNING)],
                },
                initContainers=SIDECAR,
            ),
            "2/2",
            "Running",
        ),
        (pod({"phase": "Running"}, metadata=DELETED), "0/1", "Terminating"),
        (pod({"phase": "Succeeded"}, metadata=DELETED), "0/1", "Succeeded"),
        (pod({"phase": "Running", "reason": "NodeLost"}, metadata=DELETED), "0/1", "Unknown"),
    ],
)
def test_the_status_of_a_pod(manifest: dict[str, Any], ready: str, status: str) -> None:
    assert cells(manifest) == ("p", ready, status, "0", "90s")


def test_of_several_containers_in_trouble_the_first_is_named() -> None:
    statuses = [
        container(**waiting("ErrImagePull")),
        container("c1", **waiting("CrashLoopBackOff")),
    ]
    manifest = pod({"phase": "Pending", "containerStatuses": statuses}, containers=2)
    assert cells(manifest)[1:3] == ("0/2", "ErrImagePull")


def test_restarts_say_how_long_ago_the_last_one_was() -> None:
    dead = {"terminated": {"exitCode": 1, "finishedAt": timestamp(NOW - 300)}}
    status = container(restartCount=2, lastState=dead, **RUNNING)
    manifest = pod({"phase": "Running", "containerStatuses": [status]})
    assert cells(manifest)[3] == "2 (5m ago)"


def test_restarts_of_init_containers_count_only_while_they_run() -> None:
    statuses = {"initContainerStatuses": [container("i0", restartCount=3, **waiting("Error"))]}
    initializing = load(pod({"phase": "Pending", **statuses}, initContainers=INIT))
    done = {"initContainerStatuses": [container("i0", restartCount=3, **COMPLETED)]}
    started = load(pod({"phase": "Running", **done}, initContainers=INIT[:1]))
    assert (summary(initializing).restarts, summary(started).restarts) == (3, 0)  # type: ignore[arg-type]


def test_a_pod_without_address_or_node_says_none() -> None:
    assert cells(pod({"phase": "Pending"}), wide=True)[5:] == ("<none>",) * 4


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {
                "type": "ClusterIP",
                "clusterIP": "10.96.0.9",
                "ports": [{"port": 80, "protocol": "TCP"}],
            },
            ("ClusterIP", "10.96.0.9", "<none>", "80/TCP"),
        ),
        (
            {"type": "ExternalName", "externalName": "a.example"},
            ("ExternalName", "<none>", "a.example", "<none>"),
        ),
        (
            {
                "type": "LoadBalancer",
                "clusterIP": "10.96.0.9",
                "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}],
            },
            ("LoadBalancer", "10.96.0.9", "<pending>", "80:30080/TCP"),
        ),
        (
            {"type": "ClusterIP", "clusterIP": "None", "externalIPs": ["1.2.3.4", "1.2.3.5"]},
            ("ClusterIP", "None", "1.2.3.4,1.2.3.5", "<none>"),
        ),
    ],
)
def test_the_addresses_of_a_service(spec: dict[str, Any], expected: tuple[str, ...]) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    assert cells(service)[1:5] == expected


def test_a_cordoned_node_is_ready_but_takes_no_pods() -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert cells(node)[1:3] == ("Ready,SchedulingDisabled", "control-plane")


def test_a_deployment_shows_ready_of_desired() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "a", "image": "x:1"}]}},
        },
        "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
    }
    assert cells(deployment, wide=True)[1:4] == ("1/3", 2, 1)
    assert cells(deployment, wide=True)[5:] == ("a", "x:1", "app=web")


@pytest.mark.parametrize("resource", KINDS, ids=lambda resource: resource.plural)
def test_every_kind_has_as_many_cells_as_columns(resource: Any) -> None:
    made = table(resource, [resource.type()], now=NOW)
    assert len(made.rows[0].cells) == len(made.columnDefinitions)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 61, "3h1m"),
        (8 * 3600, "8h"),
        (47 * 3600, "47h"),
        (49 * 3600, "2d1h"),
        (8 * 86400, "8d"),
        (730 * 86400, "2y"),
        (731 * 86400, "2y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_long_spans_lose_their_small_units(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text
