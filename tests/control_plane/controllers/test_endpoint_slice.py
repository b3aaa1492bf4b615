from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from k8slab.api import load
from k8slab.control_plane.controllers.endpoint_slice import Desired, plan


def service(name: str = "web", **spec: Any) -> Any:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return load(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default", "uid": "svc"},
            "spec": {"selector": {"app": "web"}, "ports": ports, **spec},
        }
    )


def pod(number: int, *, ready: bool = True, phase: str = "Running", **changes: Any) -> Any:
    spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], **changes}
    ip = f"10.244.{number // 250}.{number % 250 + 1}"
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": "default", "uid": f"u{number}"},
            "spec": spec,
            "status": {
                "phase": phase,
                "podIP": ip,
                "podIPs": [{"ip": ip}],
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            },
        }
    )


NODES = [
    load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "z1"}},
        }
    )
]


def stored(result: Any) -> list[Any]:
    """The slices as the API server would keep them: with names."""
    return [
        one
        if one.metadata.name
        else replace(one, metadata=replace(one.metadata, name=f"web-{number}"))
        for number, one in enumerate(result.slices)
    ]


def leaving(one: Any) -> Any:
    meta = replace(one.metadata, deletionTimestamp="2026-01-01T00:00:00Z")
    return replace(one, metadata=meta)


def addresses(slices: Any) -> list[str]:
    return [address for one in slices for e in one.endpoints for address in e.addresses]


def test_pods_of_other_labels_or_another_namespace_are_left_out() -> None:
    other, far = pod(1), pod(2)
    other = replace(other, metadata=replace(other.metadata, labels={"app": "db"}))
    far = replace(far, metadata=replace(far.metadata, namespace="far", labels={"app": "web"}))
    near = replace(far, metadata=replace(far.metadata, namespace="default"))
    assert addresses(plan(service(), [other, far, near], NODES)) == ["10.244.0.3"]


def test_a_ready_pod_becomes_an_endpoint_with_its_place() -> None:
    (one,) = plan(service(), [pod(1)], NODES).create
    (endpoint,) = one.endpoints
    assert (endpoint.addresses, endpoint.nodeName, endpoint.zone) == (("10.244.0.2",), "n1", "z1")
    assert endpoint.targetRef is not None
    assert (endpoint.targetRef.kind, endpoint.targetRef.name) == ("Pod", "p1")
    assert [(port.name, port.port, port.protocol) for port in one.ports] == [("http", 8080, "TCP")]
    assert one.metadata.generateName == "web-"
    assert one.metadata.labels == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }


def conditions(svc: Any, one: Any) -> tuple[bool | None, bool | None, bool | None]:
    (only,) = plan(svc, [one], NODES).create
    c = only.endpoints[0].conditions
    return c.ready, c.serving, c.terminating


def test_conditions_tell_ready_serving_and_terminating_apart() -> None:
    assert conditions(service(), pod(1)) == (True, True, False)
    assert conditions(service(), pod(1, ready=False)) == (False, False, False)
    assert conditions(service(), leaving(pod(1))) == (False, True, True)
    assert conditions(service(publishNotReadyAddresses=True), pod(1, ready=False)) == (
        True,
        False,
        False,
    )


def test_finished_pods_and_pods_without_address_or_node_are_left_out() -> None:
    without = replace(pod(2), status=replace(pod(2).status, podIP="", podIPs=()))
    pods = [pod(1, phase="Succeeded"), without, pod(3, nodeName="gone")]
    assert plan(service(), pods, NODES).slices[0].endpoints == ()
    told = plan(service(publishNotReadyAddresses=True), pods, NODES)
    assert addresses(told.slices) == ["10.244.0.4"]


def test_a_service_that_matches_nothing_has_one_empty_slice() -> None:
    first = plan(service(), [], NODES)
    assert [(one.endpoints, one.ports) for one in first.create] == [((), ())]
    again = plan(service(), [], NODES, stored(first))
    assert (again.create, again.update, again.delete) == ((), (), ())
    assert [one.metadata.name for one in again] == ["web-0"]


def test_the_empty_slice_is_filled_when_a_pod_comes_and_emptied_when_it_goes() -> None:
    empty = stored(plan(service(), [], NODES))
    full = plan(service(), [pod(1)], NODES, empty)
    assert [one.metadata.name for one in full.update] == ["web-0"]
    gone = plan(service(), [], NODES, stored(full))
    assert [(one.metadata.name, one.endpoints) for one in gone.update] == [("web-0", ())]


def test_a_slice_holds_100_endpoints() -> None:
    result = plan(service(), [pod(n) for n in range(250)], NODES)
    assert [len(one.endpoints) for one in result.create] == [100, 100, 50]


def test_new_endpoints_fill_the_slice_they_fit_best_and_nothing_is_repacked() -> None:
    before = stored(plan(service(), [pod(n) for n in range(5)], NODES, max_endpoints=3))
    after = plan(service(), [pod(n) for n in (0, 3, 4, 5)], NODES, before, max_endpoints=3)
    assert [len(one.endpoints) for one in after.slices] == [2, 2]
    assert sorted(addresses(after.slices)) == [f"10.244.0.{n}" for n in (1, 4, 5, 6)]


def test_a_single_newcomer_goes_to_the_fullest_slice_with_room() -> None:
    before = stored(plan(service(), [pod(n) for n in range(5)], NODES, max_endpoints=3))
    fewer = stored(plan(service(), [pod(n) for n in (0, 3, 4)], NODES, before, max_endpoints=3))
    more = plan(service(), [pod(n) for n in (0, 3, 4, 9)], NODES, fewer, max_endpoints=3)
    assert [len(one.endpoints) for one in (*more.keep, *more.update)] == [1, 3]


def test_a_named_target_port_is_looked_up_in_each_pod_and_splits_slices() -> None:
    svc = service(ports=[{"port": 80, "targetPort": "web"}])
    port = {"name": "web", "protocol": "TCP"}
    pods = [
        pod(
            n,
            containers=[{"name": "c", "image": "i", "ports": [{**port, "containerPort": number}]}],
        )
        for n, number in enumerate((8080, 8080, 9090))
    ]
    found = {one.ports[0].port: len(one.endpoints) for one in plan(svc, pods, NODES).create}
    assert found == {8080: 2, 9090: 1}


def test_hostname_is_told_only_under_the_service_that_is_the_subdomain() -> None:
    named = pod(1, hostname="db-0", subdomain="web")
    assert plan(service(), [named], NODES).create[0].endpoints[0].hostname == "db-0"
    assert plan(service("api"), [named], NODES).create[0].endpoints[0].hostname is None


def test_a_headless_service_is_labelled_so() -> None:
    (one,) = plan(service(clusterIP="None"), [pod(1)], NODES).create
    assert one.metadata.labels["service.kubernetes.io/headless"] == ""


def test_same_zone_preference_hints_ready_endpoints_to_their_zone() -> None:
    svc = service(trafficDistribution="PreferSameZone")
    (one,) = plan(svc, [pod(1), pod(2, ready=False)], NODES).create
    zones = [e.hints.forZones[0].name if e.hints else "" for e in one.endpoints]
    assert zones == ["z1", ""]
    again = plan(svc, [pod(1), pod(2, ready=False)], NODES, stored(plan(svc, [pod(1)], NODES)))
    assert plan(svc, [pod(1), pod(2, ready=False)], NODES, stored(again)).update == ()


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=8), st.integers(1, 7))
def test_whatever_happened_before_the_slices_tell_the_truth(
    history: list[set[int]], max_endpoints: int
) -> None:
    slices: list[Any] = []
    for numbers in history:
        pods = [pod(n) for n in sorted(numbers)]
        result = plan(service(), pods, NODES, slices, max_endpoints=max_endpoints)
        slices = stored(result)
        for number, one in enumerate(slices):
            meta = replace(one.metadata, name=f"s{number}")
            slices[number] = replace(one, metadata=meta)
        assert sorted(addresses(slices)) == sorted(p.status.podIP for p in pods)
        assert all(len(one.endpoints) <= max_endpoints for one in slices)
        assert slices
        quiet = plan(service(), pods, NODES, slices, max_endpoints=max_endpoints)
        assert (quiet.create, quiet.update, quiet.delete) == ((), (), ())


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["put", "leave", "drop"]))))
def test_endpoints_kept_pod_by_pod_are_those_of_all_pods(changes: list[tuple[int, str]]) -> None:
    desired = Desired(service(), {node.metadata.name: node for node in NODES})
    pods: dict[int, Any] = {}
    for number, change in changes:
        if change == "drop":
            pods.pop(number, None)
            desired.drop(pod(number))
        else:
            pods[number] = pod(number) if change == "put" else leaving(pod(number))
            desired.put(pods[number])
    kept, fresh = (
        plan(service(), pods.values(), NODES, desired=desired),
        plan(service(), pods.values(), NODES),
    )
    assert sorted(map(str, endpoints(kept))) == sorted(map(str, endpoints(fresh)))


def endpoints(result: Any) -> list[Any]:
    return [endpoint for one in result for endpoint in one.endpoints]


def test_slices_follow_the_pods_of_a_cluster(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
    )
    lab.run(3)
    (one,) = lab.all("EndpointSlice")
    assert sorted(addresses([one])) == sorted(p.status.podIP for p in lab.all("Pod"))
    assert "endpoints.kubernetes.io/last-change-trigger-time" in one.metadata.annotations
    victim = lab.all("Pod")[0]
    lab.request("delete", "Pod", victim.metadata.name)
    lab.run(0.05)
    (one,) = lab.all("EndpointSlice")
    states = {e.addresses[0]: e.conditions for e in one.endpoints}
    assert states[victim.status.podIP].terminating
    assert states[victim.status.podIP].serving


def test_a_slice_that_somebody_deletes_comes_back(lab: Any) -> None:
    spec = {"selector": {"app": "none"}, "ports": [{"port": 80}]}
    lab.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec})
    lab.run(1)
    (before,) = lab.all("EndpointSlice")
    lab.request("delete", "EndpointSlice", before.metadata.name)
    lab.run(1)
    (after,) = lab.all("EndpointSlice")
    assert after.metadata.uid != before.metadata.uid


def dual(number: int) -> Any:
    """Return a Pod with an address of each family."""
    one = pod(number)
    ips = tuple(
        replace(one.status.podIPs[0], ip=ip) for ip in (one.status.podIP, f"fd00::{number + 1:x}")
    )
    return replace(one, status=replace(one.status, podIPs=ips))


def by_family(result: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in result:
        found.setdefault(one.addressType, []).extend(e.addresses[0] for e in one.endpoints)
    return found


def test_each_family_of_a_service_has_slices_of_its_own() -> None:
    both = service(ipFamilies=["IPv4", "IPv6"])
    pods = [dual(0), dual(1), pod(2)]  # the last one has no IPv6 address
    assert by_family(plan(both, pods, NODES)) == {
        "IPv4": ["10.244.0.1", "10.244.0.2", "10.244.0.3"],
        "IPv6": ["fd00::1", "fd00::2"],
    }
    assert by_family(plan(both, [], NODES)) == {"IPv4": [], "IPv6": []}


def test_slices_of_a_family_that_was_given_up_are_deleted() -> None:
    pods = [dual(0)]
    slices = stored(plan(service(ipFamilies=["IPv4", "IPv6"]), pods, NODES))
    result = plan(service(ipFamilies=["IPv6"]), pods, NODES, slices)
    assert [one.addressType for one in result.delete] == ["IPv4"]
    assert (result.create, result.update) == ((), ())
    assert by_family(result) == {"IPv6": ["fd00::1"]}
