from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load
from k8slab.control_plane.apiserver.validation import validate_part

ROLLING = "spec.strategy.rollingUpdate"


def deep(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set a field of a manifest by its path."""
    *parents, last = path.split(".")
    inner = manifest
    for name in parents:
        inner = inner.setdefault(name, {})
    inner[last] = value
    return manifest


@pytest.mark.parametrize(
    ("kind", "path", "value", "expected"),
    [
        ("Deployment", "spec.replicas", -1,
         "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ("Deployment", "spec.selector", None, "spec.selector: Required value"),
        ("Deployment", "spec.selector", {},
         "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        ("ReplicaSet", "spec.selector.matchLabels", {"app": "db"},
         'spec.template.metadata.labels: Invalid value: {"app":"web"}: '
         "`selector` does not match template `labels`"),
        ("DaemonSet", "spec.selector", {},
         "spec.selector: Invalid value: {}: empty selector is invalid for daemonset"),
        ("StatefulSet", "spec.selector", {},
         "spec.selector: Invalid value: {}: empty selector is invalid for statefulset"),
        ("Deployment", "spec.template.spec.restartPolicy", "Never",
         'spec.template.spec.restartPolicy: Unsupported value: "Never": '
         'supported values: "Always"'),
        ("DaemonSet", "spec.template.spec.activeDeadlineSeconds", 5,
         "spec.template.spec.activeDeadlineSeconds: Forbidden: "
         "activeDeadlineSeconds in DaemonSet is not Supported"),
        ("Deployment", "spec.strategy", {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}},
         f'{ROLLING}.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'),
        ("Deployment", "spec.strategy", {"rollingUpdate": {"maxUnavailable": "101%"}},
         f'{ROLLING}.maxUnavailable: Invalid value: "101%": must not be greater than 100%'),
        ("Deployment", "spec.strategy", {"rollingUpdate": {"maxSurge": "some"}},
         f'{ROLLING}.maxSurge: Invalid value: "some": '
         "must be an integer or percentage (e.g '5%')"),
        ("Deployment", "spec.strategy", {"type": "Recreate", "rollingUpdate": {}},
         f"{ROLLING}: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
        ("Deployment", "spec.strategy", {"type": "Blue"},
         'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":null}: '
         'supported values: "Recreate", "RollingUpdate"'),
        ("Deployment", "spec.minReadySeconds", 600,
         "spec.progressDeadlineSeconds: Invalid value: 600: "
         "must be greater than minReadySeconds"),
        ("DaemonSet", "spec.updateStrategy.rollingUpdate", {"maxSurge": 1, "maxUnavailable": 1},
         "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: "
         "may not be set when maxUnavailable is non-zero"),
        ("StatefulSet", "spec.podManagementPolicy", "Random",
         'spec.podManagementPolicy: Invalid value: "Random": '
         "must be 'OrderedReady' or 'Parallel'"),
        ("Job", "spec.template.spec.restartPolicy", "Always",
         'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'),
        ("Job", "spec.parallelism", -2,
         "spec.parallelism: Invalid value: -2: must be greater than or equal to 0"),
    ],
)  # fmt: skip
def test_a_workload_is_refused_in_upstreams_words(
    wrong: Any, workload: Any, kind: str, path: str, value: Any, expected: str
) -> None:
    assert expected in wrong(deep(workload(kind), path, value))


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"])
def test_a_plain_workload_is_right(wrong: Any, workload: Any, kind: str) -> None:
    assert wrong(workload(kind)) == []


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet"])
def test_a_selector_stays_what_it_was(wrong: Any, workload: Any, kind: str) -> None:
    after = deep(workload(kind), "spec.selector.matchLabels", {"app": "db"})
    after["spec"]["template"]["metadata"]["labels"] = {"app": "db"}
    assert wrong(after, workload(kind)) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"db"}}: field is immutable'
    ]


def test_a_stateful_set_keeps_what_its_pods_are_known_by(wrong: Any, workload: Any) -> None:
    before = workload("StatefulSet", serviceName="a")
    found = wrong(workload("StatefulSet", serviceName="b"), before)
    assert found == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', "
        "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    ]
    assert wrong(workload("StatefulSet", serviceName="a", replicas=5), before) == []


def test_the_numbers_in_a_status_must_be_possible(workload: Any) -> None:
    old: Any = load(workload("Deployment"))
    new = replace(old, status=replace(old.status, replicas=1, readyReplicas=2, availableReplicas=3))
    assert [str(error) for error in validate_part(new, old, "status")] == [
        "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
        "status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas",
        "status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas",
    ]


def test_a_started_job_keeps_its_template(wrong: Any, workload: Any) -> None:
    def job(image: str, **more: Any) -> dict[str, Any]:
        made = workload("Job", **more)
        made["spec"]["template"]["spec"] |= {"restartPolicy": "Never"}
        made["spec"]["template"]["spec"]["containers"][0]["image"] = image
        return dict(made)

    found = wrong(job("a"), job("b"))
    assert len(found) == 1
    assert found[0].startswith('spec.template: Invalid value: {"labels":{"app":"web"},"Spec":{')
    assert found[0].endswith("}}: field is immutable")
    assert wrong(job("a", suspend=True), job("b", suspend=True)) == []
