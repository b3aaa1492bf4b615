from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.apiserver import defaults
from k8slab.control_plane.apiserver.validation import validate
from k8slab.control_plane.apiserver.validation.job_policies import count_indexes

RBAC, BATCH = "rbac.authorization.k8s.io/v1", "batch/v1"
GROUP = "rbac.authorization.k8s.io"
BINDING = {"roleRef": {"kind": "ClusterRole", "name": "a", "apiGroup": GROUP}}
EXIT_CODES = {"operator": "In", "values": [1]}


def thing(kind: str, api_version: str = "v1", /, **fields: Any) -> dict[str, Any]:
    meta = {"name": "x", "namespace": "default"}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}


def job(**spec: Any) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "busybox"}]}
    return thing("Job", BATCH, spec={"template": {"spec": pod}, **spec})


def failure_policy(**rule: Any) -> dict[str, Any]:
    return job(podFailurePolicy={"rules": [rule]})


def indexed(**spec: Any) -> dict[str, Any]:
    return job(**{"completionMode": "Indexed", "completions": 5, **spec})


def cron(schedule: str = "0 0 * * *", **spec: Any) -> dict[str, Any]:
    return thing(
        "CronJob",
        BATCH,
        spec={"schedule": schedule, "jobTemplate": {"spec": job()["spec"]}, **spec},
    )


def limits(**item: Any) -> dict[str, Any]:
    return thing("LimitRange", spec={"limits": [{"type": "Container", **item}]})


def claim(**spec: Any) -> dict[str, Any]:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return thing("PersistentVolumeClaim", spec={**wanted, **spec})


def csi_node(**driver: Any) -> dict[str, Any]:
    return thing("CSINode", "storage.k8s.io/v1", spec={"drivers": [driver]})


def volume(**spec: Any) -> dict[str, Any]:
    given = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/data"},
    }
    return thing("PersistentVolume", spec={**given, **spec})


def wrong_with(manifest: dict[str, Any]) -> list[str]:
    return [str(error) for error in validate(defaults.apply(load(manifest)))]


@pytest.mark.parametrize(
    "manifest",
    [
        job(),
        indexed(backoffLimitPerIndex=1, maxFailedIndexes=2),
        indexed(successPolicy={"rules": [{"succeededIndexes": "0,2-4", "succeededCount": 2}]}),
        failure_policy(action="FailJob", onExitCodes=EXIT_CODES),
        cron("@daily", timeZone="Europe/Berlin"),
        thing("Role", RBAC, rules=[{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]),
        thing("ClusterRole", RBAC, rules=[{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]),
        thing("RoleBinding", RBAC, **BINDING, subjects=[{"kind": "ServiceAccount", "name": "a"}]),
        thing("ResourceQuota", spec={"hard": {"pods": "2", "count/jobs.batch": "1"}}),
        limits(min={"cpu": "100m"}, default={"cpu": "200m"}, max={"cpu": "1"}),
        claim(),
        volume(),
        thing("StorageClass", "storage.k8s.io/v1", provisioner="example.com/disk"),
        csi_node(name="d.io", nodeID="n", allocatable={"count": 2}),
        thing("Endpoints", subsets=[{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 1}]}]),
    ],
    ids=lambda manifest: str(manifest["kind"]),
)
def test_a_good_object_has_nothing_wrong(manifest: dict[str, Any]) -> None:
    assert wrong_with(manifest) == []


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (job(backoffLimitPerIndex=1),
         "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
        (indexed(maxFailedIndexes=1),
         "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"),
        (indexed(backoffLimitPerIndex=1, maxFailedIndexes=6),
         "spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions"),
        (indexed(parallelism=100_001),
         "spec.parallelism: Invalid value: 100001: "
         "must be less than or equal to 100000 when completion mode is Indexed"),
        (job(managedBy="me"),
         'spec.managedBy: Invalid value: "me": '
         'must be a domain-prefixed path (such as "acme.io/foo")'),
        (failure_policy(action="FailJob"),
         "spec.podFailurePolicy.rules[0]: Invalid value: "
         "specifying one of OnExitCodes and OnPodConditions is required"),
        (failure_policy(onExitCodes=EXIT_CODES),
         "spec.podFailurePolicy.rules[0].action: Required value: "
         'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'),
        (failure_policy(action="Ignore", onExitCodes={"operator": "In", "values": [0]}),
         "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: "
         "must not be 0 for the In operator"),
        (failure_policy(action="Ignore", onExitCodes={"operator": "NotIn", "values": [2, 1]}),
         "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: "
         "must be ordered"),
        (failure_policy(action="FailIndex", onExitCodes=EXIT_CODES),
         'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": '
         "requires the backoffLimitPerIndex to be set"),
        (indexed(successPolicy={"rules": [{"succeededIndexes": "3-7"}]}),
         'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "3-7": '
         'error parsing succeededIndexes: too large index: "7"'),
        (indexed(successPolicy={"rules": [{"succeededCount": 6}]}),
         "spec.successPolicy.rules[0].succeededCount: Invalid value: 6: "
         "must be less than or equal to 5 (the number of specified completions)"),
        (cron("TZ=UTC 0 0 * * *"),
         'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": '
         "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
        (cron(timeZone="Europe/Nowhere"),
         'spec.timeZone: Invalid value: "Europe/Nowhere": unknown time zone Europe/Nowhere'),
        (thing("Role", RBAC, rules=[{"verbs": ["get"], "nonResourceURLs": ["/x"]}]),
         'rules[0].nonResourceURLs: Invalid value: ["/x"]: '
         "namespaced rules cannot apply to non-resource URLs"),
        (thing("ClusterRole", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"]}]),
         "rules[0].verbs: Required value: verbs must contain at least one value"),
        (thing("ClusterRoleBinding", RBAC, **BINDING,
               subjects=[{"kind": "ServiceAccount", "name": "a"}]),
         "subjects[0].namespace: Required value"),
        (thing("RoleBinding", RBAC, **BINDING, subjects=[{"kind": "Robot", "name": "a"}]),
         'subjects[0].kind: Unsupported value: "Robot": '
         'supported values: "ServiceAccount", "User", "Group"'),
        (thing("ResourceQuota", spec={"hard": {"horses": "1"}}),
         'spec.hard[horses]: Invalid value: "horses": must be a standard resource for quota'),
        (thing("ResourceQuota", spec={"hard": {"pods": "1500m"}}),
         'spec.hard[pods]: Invalid value: "1500m": must be an integer'),
        (thing("ResourceQuota", spec={"hard": {"cpu": "1"}, "scopes": ["BestEffort"]}),
         'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'),
        (limits(min={"cpu": "2"}, max={"cpu": "1"}),
         'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'),
        (limits(default={"cpu": "1"}, defaultRequest={"cpu": "2"}),
         'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": '
         "default request value 2 is greater than default limit value 1"),
        (limits(maxLimitRequestRatio={"cpu": "3"}, min={"cpu": "1"}, max={"cpu": "2"}),
         'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": '
         "ratio 3 is greater than max/min = 2.000000"),
        (claim(accessModes=[]),
         "spec.accessModes: Required value: at least 1 access mode is required"),
        (claim(accessModes=["ReadWriteOncePod", "ReadOnlyMany"]),
         "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"),
        (claim(resources={"requests": {"storage": "0"}}),
         'spec.resources[storage]: Invalid value: "0": must be greater than zero'),
        (volume(hostPath=None), "spec: Required value: must specify a volume type"),
        (volume(nfs={"server": "a", "path": "/"}),
         "spec.nfs: Forbidden: may not specify more than 1 volume type"),
        (volume(hostPath={"path": "/a/../b"}),
         'spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\''),
        (thing("StorageClass", "storage.k8s.io/v1", provisioner="a", reclaimPolicy="Recycle"),
         'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'),
        (csi_node(name="d.io"), "spec.drivers[0].nodeID: Required value"),
        (csi_node(name="d.io", nodeID="n", allocatable={"count": -1}),
         "spec.drivers[0].allocatable.count: Invalid value: -1: "
         "must be greater than or equal to 0"),
        (thing("Endpoints", subsets=[{}]),
         "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"),
        (thing("IngressClass", "networking.k8s.io/v1", spec={"controller": "nginx"}),
         'spec.controller: Invalid value: "nginx": '
         'must be a domain-prefixed path (such as "acme.io/foo")'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_kubernetes_says_it(
    manifest: dict[str, Any], expected: str
) -> None:
    assert expected in wrong_with(manifest)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (thing("RoleBinding", RBAC, **BINDING),
         thing("RoleBinding", RBAC, roleRef={**BINDING["roleRef"], "name": "b"}),
         'roleRef: Invalid value: {"name":"b","kind":"ClusterRole","apiGroup":'
         '"rbac.authorization.k8s.io"}: cannot change roleRef'),
        (thing("StorageClass", "storage.k8s.io/v1", provisioner="a.b/c"),
         thing("StorageClass", "storage.k8s.io/v1", provisioner="a.b/d"),
         "provisioner: Forbidden: updates to provisioner are forbidden."),
        (csi_node(name="d.io", nodeID="n"), csi_node(name="d.io", nodeID="m"),
         'spec.drivers: Invalid value: {"name":"d.io","nodeID":"m","topologyKeys":[]}: '
         "field is immutable"),
        (claim(), claim(resources={"requests": {"storage": "500Mi"}}),
         "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"),
        (indexed(), indexed(completions=7, parallelism=3),
         "spec.completions: Invalid value: 7: "
         "can only be modified in tandem with spec.parallelism"),
    ],
)  # fmt: skip
def test_a_change_that_is_not_allowed_is_refused(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    old, new = (defaults.apply(load(manifest)) for manifest in (before, after))
    assert expected in [str(error) for error in validate(new, old)]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1-2-3", "at most two parts"),
        ("a", "cannot convert string to integer"),
        ("3,2", "non-increasing order, previous: 3, current: 2"),
        ("9-10", 'too large index: "10"'),
    ],
)
def test_indexes_that_cannot_be_read_are_explained(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        count_indexes(text, 10)
