from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.addons import coredns
from k8slab.api.core import Pod
from k8slab.api.discovery import EndpointSlice
from k8slab.api.pods import is_pod_ready
from k8slab.control_plane.controllers import endpoint_slice
from k8slab.control_plane.controllers.learner_controller import UnreliableWatch
from k8slab.linux import resolver
from k8slab.linux.resolver import ResolutionError
from k8slab.node.kubelet import status
from k8slab.node.kubelet.probe_effects import probe_effects

SERVICE_NAME = "kubernetes.io/service-name"
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
  - name: web
    image: nginx:1.27
    {probe}
"""


def events_of(cluster: Cluster, reason: str) -> str:
    return str(cluster.kubectl(f"get events -A --field-selector reason={reason}"))


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="'pod_fase', did you mean 'pod_phase'"):
        Cluster(replace={"pod_fase": status.pod_phase}, boot=False)


def test_a_pod_has_the_phase_that_the_learner_says() -> None:
    def phase(spec: Any, regular: Any, init: Any, **facts: Any) -> str:
        if spec.containers[0].name == "odd":
            return "Succeeded"
        return status.pod_phase(spec, regular, init, **facts)

    cluster = Cluster(workers=1, seed=1, replace={"pod_phase": phase})
    cluster.kubectl("run odd --image=nginx")
    cluster.run(20)
    assert "Succeeded" in cluster.kubectl("get pod odd -o jsonpath={.status.phase}")


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (lambda *_, **__: None, "your pod_phase returned None (NoneType), expected one of"),
        (lambda spec: "Running", "your pod_phase could not be called as pod_phase(spec,"),
        (lambda *_, **__: {"a": 1}["web"], "your pod_phase raised KeyError: 'web' at"),
    ],
)
def test_a_phase_that_cannot_be_used_is_told_as_an_event(phase: Any, said: str) -> None:
    def only_default(spec: Any, regular: Any, init: Any, **facts: Any) -> Any:
        ours = spec.priorityClassName.startswith("system-") or spec.containers[0].name != "web"
        decide = status.pod_phase if ours else phase
        return decide(spec, regular, init, **facts)

    cluster = Cluster(workers=1, seed=1, replace={"pod_phase": only_default})
    cluster.kubectl("run web --image=nginx")
    cluster.run(20)
    assert cluster.kubectl("get pod web -o jsonpath={.status.phase}").strip() == "Unknown"
    if "could not be called" not in said:  # here it is called by a function that can
        assert said in events_of(cluster, "FailedPhase")


def test_a_probe_has_the_effects_that_the_learner_says() -> None:
    def gentle(kind: str, success: bool) -> Any:
        return {} if kind == "liveness" else probe_effects(kind, success)

    cluster = Cluster(workers=1, seed=1, replace={"probe_effects": gentle})
    probe = "livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1}"
    cluster.apply(POD.format(probe=probe))
    cluster.run(20)
    (web,) = cluster.view.list(Pod, "default")
    assert (web.status.containerStatuses[0].restartCount, is_pod_ready(web)) == (0, True)
    assert "Liveness probe failed" in events_of(cluster, "Unhealthy")


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        (lambda *_: {"dead": True}, "your probe_effects returned {'dead': True} (dict), expected"),
        (lambda *_: 1 / 0, "your probe_effects raised ZeroDivisionError"),
    ],
)
def test_an_effect_that_cannot_be_used_is_told_and_changes_nothing(effects: Any, said: str) -> None:
    def only_liveness(kind: str, success: bool) -> Any:
        return effects() if kind == "liveness" else probe_effects(kind, success)

    cluster = Cluster(workers=1, seed=1, replace={"probe_effects": only_liveness})
    cluster.apply(POD.format(probe="livenessProbe: {exec: {command: ['true']}, periodSeconds: 1}"))
    cluster.run(20)
    assert said in events_of(cluster, "ProbeWarning")
    assert cluster.view.list(Pod, "default")[0].status.containerStatuses[0].restartCount == 0


def only_first(service: Any, pods: Any, nodes: Any, existing: Any, *, trigger_time: str) -> Any:
    """One endpoint is enough for everybody."""
    chosen = [pod for pod in pods if pod.metadata.labels.get("app") == "web"][:1]
    return endpoint_slice.plan(service, chosen, nodes, existing, trigger_time=trigger_time)


def test_a_service_has_the_slices_that_the_learner_plans() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"endpoint_slice": only_first})
    cluster.kubectl("create deployment web --image=nginx --replicas=3")
    cluster.kubectl("expose deployment web --port=80")
    cluster.run(15)
    (one,) = cluster.view.list(EndpointSlice, "default", labels=f"{SERVICE_NAME}=web")
    assert len(one.endpoints) == 1
    assert cluster.resolve("kubernetes").ip == "10.96.0.1"  # CoreDNS has the lab's own slices


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda *_, **__: [], "your plan returned [] (list), expected a SlicePlan"),
        (lambda *_, **__: endpoint_slice.SlicePlan(create=("web",)), "create holds 'web' (str)"),
        (
            lambda *_, **__: endpoint_slice.SlicePlan(update=(EndpointSlice(),)),
            "update names '', which is no slice of web",
        ),
    ],
)
def test_slices_that_cannot_be_written_are_told_as_an_event(answer: Any, said: str) -> None:
    cluster = Cluster(workers=1, seed=1, replace={"endpoint_slice": answer})
    cluster.kubectl("create service clusterip web --tcp=80")
    cluster.run(5)
    assert said in events_of(cluster, "FailedToUpdateEndpointSlices")


def test_names_are_searched_for_as_the_learner_says() -> None:
    def shortest(name: str, conf: Any, *, libc: str = "glibc") -> list[str]:
        return resolver.queries(f"{name}.default.svc.cluster.local.", conf, libc=libc)

    cluster = Cluster(workers=1, seed=1, replace={"queries": shortest})
    found = cluster.resolve("kubernetes")
    assert [query.name for query in found.queries] == ["kubernetes.default.svc.cluster.local"] * 2


def test_a_search_that_goes_wrong_is_a_name_that_does_not_resolve() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"queries": lambda name, conf, libc: None})
    with pytest.raises(ResolutionError, match="your queries returned None"):
        cluster.resolve("kubernetes")


def test_coredns_answers_as_the_learner_says() -> None:
    asked: list[str] = []

    def answer(qname: str, qtype: str, *, services: Any, endpoint_slices: Any) -> Any:
        asked.append(qname)
        return coredns.answer(qname, qtype, services=services, endpoint_slices=endpoint_slices)

    cluster = Cluster(workers=1, seed=1, replace={"dns_answer": answer})
    assert cluster.resolve("kubernetes").ip == "10.96.0.1"
    assert "kubernetes.default.svc.cluster.local." in asked


def test_an_answer_that_is_none_is_a_failure_of_the_server() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"dns_answer": lambda qname, qtype: "10.0.0.1"})
    found = cluster.resolve("kubernetes")
    assert found.queries[0].rcode == "SERVFAIL"
    logs = cluster.kubectl("logs -n kube-system -l k8s-app=kube-dns")
    assert "your answer returned '10.0.0.1' (str), expected an Answer" in logs


def keep_shift(desk: Any, event: Any) -> None:
    rota = desk.get("configmap", "rota")
    for pod in desk.list("pod") if rota is not None else ():
        if pod.metadata.labels.get("shift") != rota.data["shift"]:
            desk.label("pod", pod.metadata.name, shift=rota.data["shift"])


def shifts(cluster: Cluster) -> list[str]:
    return [pod.metadata.labels.get("shift", "-") for pod in cluster.view.list(Pod, "default")]


def test_a_controller_of_the_learners_runs_beside_the_others() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"controller": keep_shift})
    cluster.kubectl("create configmap rota --from-literal=shift=early")
    cluster.kubectl("create deployment web --image=nginx --replicas=2")
    cluster.run(5)
    assert shifts(cluster) == ["early", "early"]
    cluster.kubectl('patch configmap rota -p \'{"data": {"shift": "late"}}\'')
    cluster.run(5)
    assert shifts(cluster) == ["late", "late"]


def test_an_event_may_be_lost_and_the_next_look_finds_what_it_told() -> None:
    watch = UnreliableWatch(keep_shift, lost=tuple(range(1, 100)))
    cluster = Cluster(workers=1, seed=1, replace={"controller": watch})
    cluster.kubectl("create configmap rota --from-literal=shift=early")
    cluster.kubectl("run web --image=nginx")
    cluster.run(5)
    assert shifts(cluster) == ["-"]
    cluster.run(30)
    assert shifts(cluster) == ["early"]


def test_what_a_controller_does_wrong_is_told_as_an_event() -> None:
    cluster = Cluster(
        workers=1, seed=1, replace={"controller": lambda desk, event: desk.get("ship")}
    )
    cluster.kubectl("run web --image=nginx")
    cluster.run(5)
    assert "your reconcile raised TypeError" in events_of(cluster, "FailedReconcile")


def pack(pod: Any, node: Any, pods: Any) -> int:
    return min(10 * len(pods), 100)


def test_pods_land_where_the_learners_plugin_likes_them_best() -> None:
    plugin = type("Pack", (), {"weight": 100, "score": staticmethod(pack)})
    cluster = Cluster(workers=3, seed=2, replace={"scheduler_plugins": plugin})
    cluster.kubectl("create deployment web --image=nginx --replicas=6")
    cluster.run(5)
    assert len({pod.spec.nodeName for pod in cluster.view.list(Pod, "default")}) == 1
    assert cluster.explain(cluster.view.list(Pod, "default")[0]).weights["Pack"] == 100


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"filter": lambda self, pod, node: 3}, "your filter returned 3 (int), expected True"),
        ({"filter": lambda self: True}, "your filter could not be called as filter(pod, node)"),
        ({"score": lambda self, pod, node: 0.5}, "your score returned 0.5 (float), expected"),
        ({"score": lambda self, pod, node, pods: pods[99]}, "your score raised IndexError"),
        ({"score": lambda self, pod, node: 101}, "returns an invalid score 101"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_told_as_an_event(members: Any, said: str) -> None:
    replace = {"scheduler_plugins": type("Mine", (), members)}
    cluster = Cluster(workers=2, seed=1, replace=replace)
    cluster.kubectl("run web --image=nginx")
    cluster.run(3)
    assert said in events_of(cluster, "FailedScheduling")
    assert said in str(cluster.why("pod/web"))


def test_what_is_no_plugin_is_told_before_the_cluster_boots() -> None:
    with pytest.raises(TypeError, match="plugin function does nothing"):
        Cluster(replace={"scheduler_plugins": pack}, boot=False)
    with pytest.raises(ValueError, match="there is no plugin NodeFit; there are Scheduling"):
        Cluster(replace={"scheduler_plugins": ["NodeFit"]}, boot=False)


def not_a_rule(services: Any, slices: Any, *, node: Any, config: Any) -> str:
    return "*nat\n-A NOWHERE -j LUCK\nCOMMIT\n"


@pytest.mark.parametrize(
    ("render", "said"),
    [
        (lambda services: "", "your render could not be called as render(services, endpoint_sl"),
        (lambda services, slices, **facts: services[0].spec.ports[9], "raised IndexError"),
        (lambda services, slices, **facts: None, "your render returned None (NoneType)"),
        (not_a_rule, "NOWHERE"),
    ],
)
def test_rules_that_cannot_be_used_are_told_as_an_event_of_the_node(render: Any, said: str) -> None:
    cluster = Cluster(workers=1, seed=1, replace={"kube_proxy": render})
    assert said in events_of(cluster, "FailedRules")
    assert "KUBE-SERVICES" not in cluster.node("worker-1").shell("iptables-save")


def test_a_cluster_that_does_not_come_up_says_what_is_missing() -> None:
    swallow = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j DROP\nCOMMIT\n"
    with pytest.raises(TimeoutError, match=r"did not come up in 300 .*; not ready: .*coredns"):
        Cluster(workers=1, seed=1, replace={"kube_proxy": lambda *_, **__: swallow})


def test_a_pause_before_the_end_that_is_none_is_told_and_left_out() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"stop_delay": lambda pod: "soon"})
    cluster.kubectl("run web --image=traefik/whoami:v1.11")
    cluster.run(10)
    cluster.kubectl("delete pod web")
    assert "your stop_delay returned 'soon' (str)" in events_of(cluster, "FailedStopDelay")
    assert cluster.view.get(Pod, "web") is None


def test_a_deleted_pod_lives_on_for_the_pause_that_the_learner_says() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"stop_delay": lambda pod: 20})
    cluster.kubectl("run web --image=traefik/whoami:v1.11")
    cluster.run(10)
    begun = cluster.now
    cluster.kubectl("delete pod web")
    assert 20 <= cluster.now - begun < 22


def on_a_dead_node(delay: Any, seconds: float) -> Cluster:
    """Return a cluster whose one worker died that many seconds after its Pod had come."""
    cluster = Cluster(workers=1, seed=1, replace={"eviction_delay": delay})
    cluster.kubectl("run web --image=traefik/whoami:v1.11")
    cluster.run(10)
    cluster.break_node("worker-1")
    cluster.run(seconds)
    return cluster


def test_a_pod_is_evicted_when_the_learner_says() -> None:
    cluster = on_a_dead_node(lambda taints, tolerations: 40, 70)
    assert cluster.kubectl("get pod web").split()[7] == "Running"
    cluster.run(40)
    assert cluster.kubectl("get pod web").split()[7] == "Terminating"


def test_a_patience_that_is_none_is_told_and_the_pod_stays() -> None:
    cluster = on_a_dead_node(lambda taints, tolerations: None, 700)
    assert cluster.kubectl("get pod web").split()[7] == "Running"
    assert "your eviction_delay returned None (NoneType)" in events_of(
        cluster, "FailedEvictionDelay"
    )


def test_a_client_keeps_its_connection_as_the_learner_says() -> None:
    cluster = Cluster(workers=1, seed=1, replace={"keeps_open": lambda request, answer: 1})
    cluster.kubectl("run web --image=nginx")
    cluster.run(20)
    said = cluster.kubectl("exec web -- curl http://localhost")
    assert "curl: (2) your keeps_open returned 1 (int), expected True or False" in said
