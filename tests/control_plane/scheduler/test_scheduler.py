from __future__ import annotations

import itertools
from typing import Any

import pytest

from k8slab.api.core import Binding, ObjectReference
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, ObjectMeta
from k8slab.client import ConnectionFailed
from k8slab.control_plane.scheduler.config import parse

CONFIG = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"


def test_a_pod_is_bound_and_people_are_told(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.create(pod())
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-1"
    assert lab.events("web") == [("Scheduled", "Successfully assigned default/web to node-1")]
    event = lab.call("list", "Event").items[0]
    assert (event.reportingComponent, event.type) == ("default-scheduler", "Normal")


def test_a_pod_that_fits_nowhere_says_why_and_waits(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", unschedulable=True))
    lab.run(1)
    lab.create(pod())
    lab.run(1)
    text = (
        "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are "
        "available: 1 Preemption is not helpful for scheduling."
    )
    assert lab.events("web") == [("FailedScheduling", text)]
    (condition,) = lab.pod("web").status.conditions
    assert (condition.type, condition.status) == ("PodScheduled", "False")
    assert (condition.reason, condition.message) == ("Unschedulable", text)
    assert lab.scheduler.queue.pending()["unschedulable"] == ["default/web"]


def test_a_change_that_helps_brings_the_pod_back_at_once(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", unschedulable=True))
    lab.create(pod())
    lab.run(1)
    lab.merge("Node", "node-1", {"spec": {"unschedulable": False}})
    lab.run(0.1)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_a_change_that_cannot_help_leaves_it_alone(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", cpu="1"))
    lab.create(pod(cpu="2"))
    lab.run(1)
    lab.merge("Node", "node-1", {"metadata": {"labels": {"disk": "ssd"}}})
    lab.create(node("node-2", cpu="1"))
    lab.run(20)
    assert len(lab.events("web")) == 1


def test_after_five_minutes_it_is_tried_again_anyway(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", cpu="1"))
    lab.create(pod(cpu="2"))
    lab.run(299)
    decided = [r.time for r in lab.sim.trace if r.verb == "decide"]
    assert len(decided) == 1
    lab.run(40)
    decided = [r.time for r in lab.sim.trace if r.verb == "decide"]
    assert len(decided) == 2
    assert 330 <= decided[1] < 331


def test_the_binding_is_caused_by_the_creation_of_the_pod(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.run(1)
    creation = lab.sim.trace.add("you", "create", "Pod/default/web")
    lab.sim.cause = creation
    lab.create(pod())
    lab.sim.cause = 0
    lab.run(1)
    bound = next(r for r in lab.sim.trace if r.subject.endswith("web") and "bind" in r.verb)
    chain = [record.verb for record in lab.sim.trace.why(bound.id)]
    assert "decide" in chain
    assert chain[-1] == "create"
    (decision,) = (r for r in lab.sim.trace if r.verb == "decide")
    assert decision.component == "kube-scheduler"
    assert decision.detail == "node-1: 1 of 1 nodes fit"


def test_requests_never_exceed_what_a_node_has_though_bindings_take_time(
    lab: Any, node: Any, pod: Any
) -> None:
    for index in range(3):
        lab.create(node(f"node-{index}", cpu="2"))
    for index in range(12):
        lab.create(pod(f"web-{index}", cpu="700m"))
    lab.run(5)
    homes = [lab.pod(f"web-{index}").spec.nodeName for index in range(12)]
    assert sorted(homes).count("") == 6
    assert all(homes.count(f"node-{index}") == 2 for index in range(3))


def test_a_pod_bound_by_somebody_else_is_left_alone(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.create(node("node-2"))
    lab.run(1)
    lab.create(pod())
    binding = Binding(
        metadata=ObjectMeta(name="web", namespace="default"),
        target=ObjectReference(kind="Node", name="node-2"),
    )
    lab.call("create", "Pod", "web", subresource="binding", body=binding)
    lab.run(30)
    assert lab.pod("web").spec.nodeName == "node-2"
    assert lab.scheduler.queue.pending() == {"active": [], "backoff": [], "unschedulable": []}
    assert not any(lab.scheduler.cache.is_assumed(k) for k in ("default/web",))


def test_a_failed_binding_is_forgotten_and_tried_again(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", cpu="1"))
    lab.run(1)
    failures = [ConnectionFailed("connection refused")]
    lab.refuse = lambda r: failures.pop() if r.subresource == "binding" and failures else None
    lab.create(pod(cpu="1"))
    lab.run(0.5)
    text = 'running Bind plugin "DefaultBinder": connection refused'
    assert lab.events("web") == [("FailedScheduling", text)]
    assert lab.pod("web").status.conditions[0].reason == "SchedulerError"
    lab.run(3)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_room_that_a_failed_binding_frees_goes_to_who_waits(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", cpu="1"))
    lab.run(1)
    failures = [ConnectionFailed("connection refused")]
    lab.refuse = lambda r: failures.pop() if r.subresource == "binding" and failures else None
    lab.create(pod("first", cpu="1"))
    lab.create(pod("second", cpu="1"))
    lab.run(0.5)
    assert (lab.pod("first").spec.nodeName, lab.pod("second").spec.nodeName) == ("", "node-1")


def test_an_error_waits_for_the_whole_back_off(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.run(1)
    lab.refuse = lambda r: (
        ConnectionFailed("connection refused") if r.subresource == "binding" else None
    )
    lab.create(pod())
    lab.run(30)
    times = [r.time for r in lab.sim.trace if r.verb == "decide"]
    waits = [round(after - before) for before, after in itertools.pairwise(times)]
    assert waits[:5] == [1, 2, 4, 8, 10]


def test_a_gated_pod_waits_without_an_event(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.create(pod(schedulingGates=[{"name": "example.com/wait"}]))
    lab.run(400)
    assert lab.events("web") == []
    assert not lab.pod("web").spec.nodeName
    lab.merge("Pod", "web", {"spec": {"schedulingGates": None}})
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_another_schedulers_pods_are_not_touched(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.create(pod(schedulerName="mine"))
    lab.run(5)
    assert not lab.pod("web").spec.nodeName
    lab.start(config=parse(CONFIG + "profiles: [{schedulerName: mine}]"))
    lab.run(5)
    assert lab.events("web")[0][0] == "Scheduled"
    assert lab.call("list", "Event").items[0].reportingComponent == "mine"


TWO_PROFILES = """
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated}}
  plugins:
    score:
      disabled: [{name: NodeResourcesBalancedAllocation}, {name: ImageLocality}]
"""


def test_pods_choose_their_profile_by_name(make_lab: Any, node: Any, pod: Any) -> None:
    lab = make_lab(config=parse(CONFIG + TWO_PROFILES))
    lab.create(node("small", cpu="2", memory="2Gi"))
    lab.create(node("large", cpu="8", memory="8Gi"))
    lab.create(pod("spread", cpu="1", memory="1Gi"))
    lab.run(1)
    lab.create(pod("packed", cpu="1", memory="1Gi", schedulerName="packing"))
    lab.create(pod("nobodys", schedulerName="third"))
    lab.run(10)
    places = [lab.pod(name).spec.nodeName for name in ("spread", "packed", "nobodys")]
    assert places == ["large", "small", ""]
    assert not lab.pod("nobodys").status.conditions
    assert lab.events("nobodys") == []
    told = lab.call("list", "Event").items
    who = {e.involvedObject.name: e.reportingComponent for e in told}
    assert who == {"spread": "default-scheduler", "packed": "packing"}


def test_a_learners_plugin_takes_part_in_every_profile(make_lab: Any, node: Any, pod: Any) -> None:
    class NotTheLargeOne:
        def filter(self, pod: Any, node: Any) -> bool:
            return str(node.metadata.name) != "large"

    lab = make_lab(config=parse(CONFIG + TWO_PROFILES), plugins=[..., NotTheLargeOne()])
    lab.create(node("small", cpu="2", memory="2Gi"))
    lab.create(node("large", cpu="8", memory="8Gi"))
    lab.create(pod("a"))
    lab.create(pod("b", schedulerName="packing"))
    lab.run(1)
    assert [lab.pod(name).spec.nodeName for name in "ab"] == ["small", "small"]
    own = [framework.weights for framework in lab.scheduler.profiles.values()]
    assert ["ImageLocality" in weights for weights in own] == [True, False]


def test_profiles_share_what_is_there(make_lab: Any, node: Any, pod: Any) -> None:
    lab = make_lab(config=parse(CONFIG + TWO_PROFILES))
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("a", cpu="800m"))
    lab.create(pod("b", cpu="800m", schedulerName="packing"))
    lab.run(1)
    assert [bool(lab.pod(name).spec.nodeName) for name in "ab"] == [True, False]


def test_a_configured_back_off_is_kept(make_lab: Any, node: Any, pod: Any) -> None:
    text = CONFIG + "podInitialBackoffSeconds: 20\npodMaxBackoffSeconds: 60"
    lab = make_lab(config=parse(text))
    lab.refuse = lambda request: (
        ConnectionFailed("refused") if request.subresource == "binding" else None
    )
    lab.create(node("node-1"))
    lab.create(pod())
    lab.run(19)
    lab.refuse = lambda request: None
    lab.run(0.9)
    assert not lab.pod("web").spec.nodeName
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_a_percentage_of_nodes_ends_the_search(make_lab: Any, node: Any, pod: Any) -> None:
    lab = make_lab(config=parse(CONFIG + "percentageOfNodesToScore: 60"))
    for index in range(200):
        lab.create(node(f"n{index:03}"))
    lab.create(pod("a"))
    lab.create(pod("b"))
    lab.run(1)
    first, second = (lab.scheduler.verdict(f"default/{name}") for name in "ab")
    assert (len(first.feasible), len(second.feasible)) == (120, 120)
    # The next search begins where the last one ended.
    assert set(first.feasible) != set(second.feasible)


def test_without_scores_one_node_is_enough(make_lab: Any, node: Any, pod: Any) -> None:
    text = "profiles: [{plugins: {score: {disabled: [{name: '*'}]}}}]"
    lab = make_lab(config=parse(CONFIG + text))
    for index in range(3):
        lab.create(node(f"n{index}"))
    lab.create(pod())
    lab.run(1)
    assert len(lab.scheduler.verdict("default/web").feasible) == 1


def test_a_killed_scheduler_schedules_nothing_and_its_successor_all(
    lab: Any, node: Any, pod: Any
) -> None:
    lab.create(node("node-1"))
    lab.run(1)
    lab.process.kill()
    lab.create(pod())
    lab.run(60)
    assert not lab.pod("web").spec.nodeName
    assert lab.process.tasks == {}
    lab.start()
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_finished_pods_take_up_no_room(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("job", cpu="1"))
    lab.run(1)
    lab.create(pod("web", cpu="1"))
    lab.run(1)
    assert not lab.pod("web").spec.nodeName
    lab.status("Pod", "job", {"phase": "Succeeded"})
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_the_more_important_pod_goes_first(lab: Any, node: Any, pod: Any) -> None:
    lab.process.kill()
    priority_classes(lab, low=1, high=1000)
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("a", cpu="1", priorityClassName="low"))
    lab.create(pod("b", cpu="1", priorityClassName="high"))
    lab.start()
    lab.run(1)
    assert (lab.pod("a").spec.nodeName, lab.pod("b").spec.nodeName) == ("", "node-1")


def test_preemption_deletes_the_victim_and_then_schedules(lab: Any, node: Any, pod: Any) -> None:
    priority_classes(lab, high=1000)
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("victim", cpu="1"))
    lab.run(1)
    high = lab.create(pod("web", cpu="1", priorityClassName="high"))
    lab.run(1)
    assert lab.pod("web").status.nominatedNodeName == "node-1"
    victim = lab.pod("victim")
    assert victim.metadata.deletionTimestamp
    reasons = {c.type: (c.reason, c.message) for c in victim.status.conditions}
    text = "default-scheduler: preempting to accommodate a higher priority pod"
    assert reasons["DisruptionTarget"] == ("PreemptionByScheduler", text)
    told = ("Preempted", f"Preempted by pod {high.metadata.uid} on node node-1")
    assert told in lab.events("victim")
    lab.call("delete", "Pod", "victim", body=DeleteOptions(gracePeriodSeconds=0))
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-1"
    assert lab.pod("web").status.nominatedNodeName == ""  # the API server's doing


def test_all_victims_but_the_last_go_at_once(lab: Any, node: Any, pod: Any) -> None:
    priority_classes(lab, high=1000)
    lab.create(node("node-1", cpu="3"))
    for name in ("a", "b", "c"):
        lab.create(pod(name, cpu="1"))
    lab.run(1)
    lab.create(pod("web", cpu="3", priorityClassName="high"))
    lab.run(1)
    deleted = [r.time for r in lab.sim.trace if r.verb == "delete" and r.subject.startswith("Pod/")]
    assert len(deleted) == 3
    assert deleted[0] == deleted[1] < deleted[2]


def test_while_victims_are_being_deleted_nobody_tries_again(lab: Any, node: Any, pod: Any) -> None:
    priority_classes(lab, high=1000)
    lab.create(node("node-1", cpu="2"))
    for name in ("a", "b"):
        lab.create(pod(name, cpu="1"))
    lab.run(1)
    victims = list(lab.scheduler.cache.snapshot.nodes["node-1"].pods.values())
    lab.create(pod("web", cpu="2", priorityClassName="high"))
    lab.run(0.006)  # decided, and the first calls are on their way
    assert decisions(lab, "web") == 1
    lab.scheduler.queue.move_all("AssignedPod", 2, victims[0].pod, None)
    lab.run(0.003)
    assert decisions(lab, "web") == 1
    assert lab.scheduler.queue.pending()["unschedulable"] == ["default/web"]
    for name in ("a", "b"):
        lab.call("delete", "Pod", name, body=DeleteOptions(gracePeriodSeconds=0))
    lab.run(2)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_a_victim_that_could_not_be_deleted_spares_the_last_one(
    lab: Any, node: Any, pod: Any
) -> None:
    priority_classes(lab, high=1000)
    lab.create(node("node-1", cpu="2"))
    for name in ("a", "b"):
        lab.create(pod(name, cpu="1"))
    lab.run(1)
    lab.refuse = lambda request: (
        ConnectionFailed("refused") if request.verb == "delete" and request.name == "a" else None
    )
    lab.create(pod("web", cpu="2", priorityClassName="high"))
    lab.run(4)
    assert not lab.pod("b").metadata.deletionTimestamp
    assert decisions(lab, "web") == 3  # nothing has changed, and yet it is tried again
    lab.refuse = lambda request: None
    lab.run(5)
    assert all(lab.pod(name).metadata.deletionTimestamp for name in ("a", "b"))


def decisions(lab: Any, name: str) -> int:
    return sum(r.verb == "decide" and r.subject == f"Pod/default/{name}" for r in lab.sim.trace)


def test_the_last_verdict_is_kept_for_the_learner(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", unschedulable=True))
    lab.create(pod())
    lab.run(1)
    verdict = lab.scheduler.verdict("default/web")
    assert verdict.nodes["node-1"].plugin == "NodeUnschedulable"
    assert verdict.event == lab.events("web")[0][1]
    assert lab.scheduler.verdict("default/other") is None


def test_a_learners_plugin_takes_part(make_lab: Any, node: Any, pod: Any) -> None:
    class OnlyTwo:
        name = "OnlyTwo"

        def filter(self, pod: Any, node: Any) -> bool:
            return bool(node.metadata.name == "node-2")

    lab = make_lab(plugins=[..., OnlyTwo()])
    lab.create(node("node-1"))
    lab.create(node("node-2"))
    lab.create(pod())
    lab.run(1)
    assert lab.pod("web").spec.nodeName == "node-2"


def test_a_pod_that_a_learner_refused_is_tried_again_only_when_something_changed(
    make_lab: Any, node: Any, pod: Any
) -> None:
    class Never:
        name = "Never"

        def filter(self, pod: Any, node: Any) -> bool:
            return bool(pod.metadata.name != "web")

    lab = make_lab(plugins=[..., Never()])
    lab.create(node("node-1"))
    lab.create(pod("other"))
    lab.create(pod("web"))
    lab.run(20)
    before = sum(record.verb == "decide" for record in lab.sim.trace)
    lab.status("Pod", "other", {"phase": "Running"})
    lab.run(20)
    assert sum(record.verb == "decide" for record in lab.sim.trace) == before
    lab.merge("Node", "node-1", {"metadata": {"labels": {"a": "b"}}})
    lab.run(20)
    assert sum(record.verb == "decide" for record in lab.sim.trace) == before + 1


def test_a_learners_mistake_becomes_the_pods_event(make_lab: Any, node: Any, pod: Any) -> None:
    class Broken:
        name = "Broken"

        def filter(self, pod: Any, node: Any) -> bool:
            return bool(node.nosuchfield)

    lab = make_lab(plugins=[..., Broken()])
    lab.create(node("node-1"))
    lab.create(pod())
    lab.run(0.5)
    reason, message = lab.events("web")[0]
    assert reason == "FailedScheduling"
    assert message.startswith('running "Broken" filter plugin: your filter raised AttributeError')


def test_without_nodes_a_pod_waits_for_the_first(lab: Any, node: Any, pod: Any) -> None:
    lab.create(pod())
    lab.run(5)
    assert lab.events("web")[0] == ("FailedScheduling", "no nodes available to schedule pods")
    lab.create(node("node-1"))
    lab.run(10)
    assert lab.pod("web").spec.nodeName == "node-1"


def test_a_conflict_means_that_somebody_was_faster(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.run(1)
    lab.refuse = lambda r: _bound_elsewhere(lab, r)
    lab.create(node("node-2", unschedulable=True))
    lab.create(pod())
    lab.run(20)
    assert lab.pod("web").spec.nodeName == "node-2"
    assert lab.scheduler.queue.pending()["unschedulable"] == []


def _bound_elsewhere(lab: Any, request: Any) -> ApiError | None:
    if request.subresource == "binding" and request.user == "system:kube-scheduler":
        binding = Binding(
            metadata=ObjectMeta(name="web", namespace="default"),
            target=ObjectReference(kind="Node", name="node-2"),
        )
        lab.refuse = lambda r: None
        lab.call("create", "Pod", "web", subresource="binding", body=binding)
    return None


@pytest.mark.parametrize("delay", [0.0005, 0.0025], ids=["before-deciding", "while-binding"])
def test_a_pod_of_the_same_name_is_another_pod(delay: float, lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", cpu="2"))
    lab.create(node("node-2", cpu="4", unschedulable=True))
    lab.run(1)
    lab.create(pod(cpu="1"))
    lab.run(delay)  # the deletion arrives 2 ms later, the first decision falls after 3 ms
    lab.call("delete", "Pod", "web", body=DeleteOptions(gracePeriodSeconds=0))
    lab.create(pod(cpu="1", nodeSelector={"kubernetes.io/hostname": "node-2"}))
    lab.run(5)
    assert not lab.pod("web").spec.nodeName
    if delay < 0.001:
        assert sum(record.verb == "decide" for record in lab.sim.trace) == 1
    lab.merge("Node", "node-2", {"spec": {"unschedulable": False}})
    lab.run(5)
    assert lab.pod("web").spec.nodeName == "node-2"
    assert lab.scheduler.cache.snapshot.nodes["node-1"].requested.get("cpu", 0) == 0


def test_the_same_seed_gives_the_same_run(make_lab: Any, node: Any, pod: Any) -> None:
    digests = []
    for _ in range(2):
        lab = make_lab()
        for index in range(4):
            lab.create(node(f"node-{index}"))
        for index in range(20):
            lab.create(pod(f"web-{index}"))
        lab.run(2)
        digests.append(lab.sim.trace.digest())
    assert digests[0] == digests[1]


def test_a_heartbeat_wakes_nobody(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1", unschedulable=True))
    lab.create(pod())
    lab.run(1)
    lab.status("Node", "node-1", {"conditions": [{"type": "Ready", "status": "True"}]})
    lab.run(5)
    assert sum(record.verb == "decide" for record in lab.sim.trace) == 1


def test_a_day_without_events_costs_nothing(lab: Any, node: Any, pod: Any) -> None:
    lab.create(node("node-1"))
    lab.create(pod())
    lab.run(10)
    before = lab.sim.events
    lab.run(86_400)
    assert lab.sim.events - before < 10


def test_each_decision_counts_the_ones_before_it(lab: Any, node: Any, pod: Any) -> None:
    for index in range(4):
        lab.create(node(f"node-{index}"))
    for index in range(12):
        lab.create(pod(f"web-{index}", cpu="100m", memory="200Mi"))
    lab.run(2)
    homes = [lab.pod(f"web-{index}").spec.nodeName for index in range(12)]
    assert [homes.count(f"node-{index}") for index in range(4)] == [3, 3, 3, 3]


@pytest.mark.parametrize("restart", [False, True], ids=["same", "restarted"])
def test_room_made_for_one_is_not_taken_by_another(
    restart: bool, lab: Any, node: Any, pod: Any
) -> None:
    priority_classes(lab, middle=10, high=1000)
    lab.create(node("node-1", cpu="2"))
    for name in ("victim-1", "victim-2"):
        lab.create(pod(name, cpu="1"))
    lab.run(1)
    lab.create(pod("web", cpu="2", priorityClassName="high"))
    lab.run(1)
    if restart:  # a new scheduler finds the nomination in the Pod's status
        lab.process.kill()
        lab.start()
        lab.run(1)
    lab.create(pod("greedy", cpu="1", priorityClassName="middle"))
    for name in ("victim-1", "victim-2"):
        lab.call("delete", "Pod", name, body=DeleteOptions(gracePeriodSeconds=0))
        lab.run(5)
        assert not lab.pod("greedy").spec.nodeName
    assert lab.pod("web").spec.nodeName == "node-1"


def test_a_nomination_is_lost_to_a_more_important_pod(lab: Any, node: Any, pod: Any) -> None:
    priority_classes(lab, middle=10, high=1000)
    lab.create(node("node-1", cpu="2"))
    for name in ("victim-1", "victim-2"):
        lab.create(pod(name, cpu="1"))
    lab.run(1)
    lab.create(pod("first", cpu="1", priorityClassName="middle"))
    lab.run(1)
    assert lab.pod("first").status.nominatedNodeName == "node-1"
    lab.create(pod("second", cpu="2", priorityClassName="high"))
    lab.run(1)
    assert lab.pod("second").status.nominatedNodeName == "node-1"
    assert lab.pod("first").status.nominatedNodeName == ""


def test_a_nomination_for_room_that_is_being_made_already_is_lost_in_the_end(
    lab: Any, node: Any, pod: Any
) -> None:
    priority_classes(lab, middle=10, high=1000)
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("victim", cpu="1"))
    lab.run(1)
    lab.create(pod("first", cpu="1", priorityClassName="middle"))
    lab.run(1)
    lab.create(pod("second", cpu="1", priorityClassName="high"))
    lab.run(1)
    # There is nobody left to delete, so nothing is done: not even this is withdrawn.
    assert [lab.pod(n).status.nominatedNodeName for n in ("first", "second")] == ["node-1"] * 2
    lab.call("delete", "Pod", "victim", body=DeleteOptions(gracePeriodSeconds=0))
    lab.run(10)
    assert lab.pod("second").spec.nodeName == "node-1"
    assert lab.pod("first").status.nominatedNodeName == ""


def test_a_nomination_in_vain_is_withdrawn(lab: Any, node: Any, pod: Any) -> None:
    priority_classes(lab, high=1000)
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("victim", cpu="1"))
    lab.run(1)
    lab.create(pod("web", cpu="1", priorityClassName="high"))
    lab.run(1)
    lab.merge("Node", "node-1", {"spec": {"unschedulable": True}})
    lab.call("delete", "Pod", "victim", body=DeleteOptions(gracePeriodSeconds=0))
    lab.run(20)
    assert lab.pod("web").status.nominatedNodeName == ""
    lab.create(pod("hardy", cpu="1", tolerations=[{"operator": "Exists"}]))
    lab.run(1)
    assert lab.pod("hardy").spec.nodeName == "node-1"


def test_a_nomination_that_was_never_written_is_withdrawn_too(
    lab: Any, node: Any, pod: Any
) -> None:
    priority_classes(lab, high=1000)
    lab.create(node("node-1", cpu="1"))
    lab.create(pod("victim", cpu="1"))
    lab.run(1)
    lab.refuse = lambda r: (
        ConnectionFailed("refused") if (r.name, r.subresource) == ("web", "status") else None
    )
    lab.create(pod("web", cpu="1", priorityClassName="high"))
    lab.run(1)
    lab.merge("Node", "node-1", {"spec": {"unschedulable": True}})
    lab.call("delete", "Pod", "victim", body=DeleteOptions(gracePeriodSeconds=0))
    lab.run(20)
    lab.create(pod("hardy", cpu="1", tolerations=[{"operator": "Exists"}]))
    lab.run(1)
    assert lab.pod("hardy").spec.nodeName == "node-1"


def priority_classes(lab: Any, **values: int) -> None:
    for name, value in values.items():
        metadata = {"name": name}
        kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
        lab.create({**kind, "metadata": metadata, "value": value})
