from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.errors import ApiError
from k8slab.api.quota import add, applies_to, must_specify, usage_of
from k8slab.control_plane.controllers.resource_quota import calculate_status
from tests.control_plane.controllers.recorded import RECORDED, live_through, scenario


def quota(hard: dict[str, str], **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": hard, **spec},
            "status": {"hard": hard},
        }
    )


def pod(name: str = "p", phase: str = "Pending", **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [container()], **spec},
            "status": {"phase": phase},
        }
    )


def container(name: str = "c", **resources: Any) -> dict[str, Any]:
    return {"name": name, "image": "nginx:1.27", "resources": resources}


def test_containers_add_up_and_of_init_containers_the_largest_counts() -> None:
    sidecar = {**container("s", requests={"cpu": "100m"}), "restartPolicy": "Always"}
    init = [sidecar, container("i", requests={"cpu": "2"})]
    two = [container("a", requests={"cpu": "250m"}), container("b", limits={"memory": "1Gi"})]
    used = usage_of(pod(containers=two, initContainers=init))
    assert {key: used[key] for key in ("pods", "cpu", "requests.cpu", "limits.memory")} == {
        "pods": "1",
        "cpu": "2100m",
        "requests.cpu": "2100m",
        "limits.memory": "1Gi",
    }


def test_an_ended_pod_is_only_an_object() -> None:
    assert usage_of(pod(phase="Succeeded")) == {"count/pods": "1"}


def test_amounts_keep_the_suffixes_of_their_family() -> None:
    assert add({"memory": "512Mi", "cpu": "0"}, {"memory": "512Mi", "cpu": "1500m"}) == {
        "memory": "1Gi",
        "cpu": "1500m",
    }


@pytest.mark.parametrize(
    ("scope", "spec", "expected"),
    [
        ("Terminating", {}, False),
        ("Terminating", {"activeDeadlineSeconds": 5}, True),
        ("NotTerminating", {}, True),
        ("BestEffort", {}, True),
        ("BestEffort", {"containers": [container(requests={"cpu": "1"})]}, False),
        ("NotBestEffort", {"containers": [container(limits={"cpu": "1"})]}, True),
        ("PriorityClass", {"priorityClassName": "high"}, True),
        ("PriorityClass", {}, False),
    ],
)
def test_scopes_say_which_pods_count(scope: str, spec: Any, expected: bool) -> None:
    assert applies_to(quota({"pods": "1"}, scopes=[scope]), pod(**spec)) == expected


def test_what_is_limited_has_to_be_said() -> None:
    of = pod(containers=[container("b"), container("a", requests={"cpu": "1"})])
    limit = quota({"requests.cpu": "1", "limits.memory": "1Gi", "pods": "5"})
    assert must_specify(limit, of) == "limits.memory for: a,b; requests.cpu for: b"


def test_only_what_the_quota_names_is_counted() -> None:
    status = calculate_status(quota({"pods": "5", "services": "1"}), [pod("a"), pod("b")])
    assert dict(status.used) == {"pods": "2", "services": "0"}


# -- on a running cluster without real nodes


def apply_quota(lab: Any, **hard: str) -> None:
    names = {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": names},
        }
    )
    lab.run(0.5)


def create(lab: Any, name: str, **resources: Any) -> Any:
    spec = {"containers": [container(**resources)]}
    return lab.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


@pytest.fixture
def account(lab: Any) -> Any:
    lab.run(1)  # the default service account
    return lab


def test_what_does_not_fit_is_refused_with_the_numbers(account: Any) -> None:
    apply_quota(account, pods="9", requests_cpu="1")
    create(account, "a", requests={"cpu": "700m"})
    with pytest.raises(ApiError) as refused:
        create(account, "b", requests={"cpu": "400m"})
    assert refused.value.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=400m, '
        "used: requests.cpu=700m, limited: requests.cpu=1"
    )
    with pytest.raises(ApiError, match=r"failed quota: q: must specify requests\.cpu for: c"):
        create(account, "c")


def test_two_in_the_same_moment_cannot_both_have_the_last_place(account: Any) -> None:
    apply_quota(account, pods="1")
    create(account, "a")
    with pytest.raises(ApiError, match="used: pods=1, limited: pods=1"):
        create(account, "b")


def test_a_deleted_object_gives_back_its_place(account: Any) -> None:
    apply_quota(account, count__configmaps="2")
    used = dict(account.get("ResourceQuota", "q").status.used)
    assert used == {"count/configmaps": "1"}  # kube-root-ca.crt
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    account.apply(plain)
    with pytest.raises(ApiError, match="exceeded quota"):
        account.apply({**plain, "metadata": {"name": "b"}})
    account.request("delete", "ConfigMap", "a")
    account.run(0.5)
    account.apply({**plain, "metadata": {"name": "b"}})


def test_a_name_that_is_taken_costs_nothing(account: Any) -> None:
    apply_quota(account, pods="5")
    create(account, "a")
    with pytest.raises(ApiError, match="already exists"):
        create(account, "a")
    assert dict(account.get("ResourceQuota", "q").status.used) == {"pods": "1"}


@pytest.mark.skipif(not RECORDED.exists(), reason="no recordings here")
def test_a_replica_set_that_meets_a_quota_does_as_recorded() -> None:
    lab = live_through(scenario("quota-block"))
    (rs,) = lab.all("ReplicaSet")
    refusals = [e.message for e in lab.all("Event") if e.reason == "FailedCreate"]
    text = "is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
    assert refusals
    assert all(refusal.endswith(text) for refusal in refusals)
    assert dict(lab.get("ResourceQuota", "q").status.used) == {"pods": "3"}
    assert (rs.status.readyReplicas, rs.status.conditions) == (3, ())
