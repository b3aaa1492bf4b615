"""Makes room for a Pod that fits nowhere, at the cost of Pods that matter less.

On each node that could be helped all Pods of lower priority are imagined away. If the Pod then
fits, as many of them as possible are reprieved, most important first and those protected by a
PodDisruptionBudget before the others. The cheapest node is nominated; the Pod itself waits until
the victims are gone and is then scheduled like any other.

Rule of use: this plugin only decides; the scheduler deletes.

Upstream: pkg/scheduler/framework/plugins/defaultpreemption, pkg/scheduler/framework/preemption
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.api.core import Pod
from k8slab.api.meta import seconds
from k8slab.api.policy import PodDisruptionBudget
from k8slab.control_plane.scheduler.config.types_pluginargs import DefaultPreemptionArgs
from k8slab.control_plane.scheduler.framework.interface import (
    Action,
    Candidate,
    ClusterEvent,
    Code,
    CycleState,
    PostFilterResult,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.matching import selector_matches
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import (
    Diagnosis,
    NodeInfo,
    PodInfo,
    fit_error,
)

NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."

PREEMPTING = "waiting for the preemption for this pod to be finished"

FOREVER = float("inf")


class DefaultPreemption:
    """PostFilter by the least important Pods whose removal helps."""

    name = "DefaultPreemption"

    def __init__(self, handle: Handle, args: DefaultPreemptionArgs) -> None:
        self._handle = handle
        self._percentage = args.minCandidateNodesPercentage
        self._absolute = args.minCandidateNodesAbsolute

    def pre_enqueue(self, pod: Pod) -> Status | None:
        """Keep a Pod out of the queue while its victims are being deleted."""
        if not self._handle.is_preempting(pod):
            return None
        return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (PREEMPTING,), self.name)

    def post_filter(
        self, state: CycleState, pod: PodInfo, statuses: Mapping[str, Status]
    ) -> tuple[PostFilterResult, Status]:
        """Return the nominated node and its victims, or why there is none."""
        obstacle = self._obstacle(pod, statuses)
        if obstacle:
            text = f"preemption: {obstacle}"
            return PostFilterResult(), Status(Code.UNSCHEDULABLE, (text,), self.name)
        candidates, failures = self.find_candidates(state, pod, statuses)
        if not candidates:
            absent = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (NOT_HELPFUL,))
            diagnosis = Diagnosis(node_to_status=failures, absent=absent)
            text = f"preemption: {fit_error(len(self._handle.snapshot.nodes), diagnosis)}"
            return PostFilterResult(""), Status(Code.UNSCHEDULABLE, (text,), self.name)
        best = select_candidate(candidates)
        others = tuple(each for each in candidates if each is not best)
        return PostFilterResult(best.node, (best, *others)), Status(Code.SUCCESS)

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Let a Pod in after a victim has gone, if a plugin that refused it thinks it may help."""
        return (ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, lambda pod, old, new: False),)

    def find_candidates(
        self, state: CycleState, pod: PodInfo, statuses: Mapping[str, Status]
    ) -> tuple[list[Candidate], dict[str, Status]]:
        """Try nodes that may be helped until enough of them are; tell why the others are not."""
        potential = [
            info
            for info in self._handle.snapshot.order
            if info.name in statuses and statuses[info.name].code is Code.UNSCHEDULABLE
        ]
        if not potential:
            return [], {}
        enough = max(len(potential) * self._percentage // 100, self._absolute)
        start = self._handle.choose(len(potential))
        budgets = self._handle.objects.list(PodDisruptionBudget)
        candidates: list[Candidate] = []
        failures: dict[str, Status] = {}
        for info in potential[start:] + potential[:start]:
            answer = self.select_victims(state.clone(), pod, info.clone(), budgets)
            if isinstance(answer, Status):
                failures[info.name] = answer
                continue
            candidates.append(answer)
            if len(candidates) >= enough:
                break
        return candidates, failures

    def select_victims(
        self,
        state: CycleState,
        pod: PodInfo,
        node: NodeInfo,
        budgets: Sequence[PodDisruptionBudget],
    ) -> Candidate | Status:
        """Return the fewest Pods that must go, or why that would not help; changes its copies."""
        framework = self._handle.framework
        lower = [each for each in node.pods.values() if each.priority < pod.priority]
        if not lower:
            return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (NO_VICTIMS,), self.name)
        for each in lower:
            node.remove_pod(each)
            framework.remove_pod(state, pod, each, node)
        status = framework.run_filter_with_nominated(state, pod, node)
        if status is not None:
            return status
        lower.sort(key=importance)
        protected, free = split_by_budget(lower, budgets)
        victims: list[PodInfo] = []
        violations = 0
        for each in (*protected, *free):
            node.add_pod(each)
            framework.add_pod(state, pod, each, node)
            if framework.run_filter_with_nominated(state, pod, node) is None:
                continue  # reprieved
            node.remove_pod(each)
            framework.remove_pod(state, pod, each, node)
            victims.append(each)
            violations += each in protected
        victims.sort(key=importance)
        return Candidate(node.name, tuple(each.pod for each in victims), violations)

    def _obstacle(self, pod: PodInfo, statuses: Mapping[str, Status]) -> str:
        if pod.pod.spec.preemptionPolicy == "Never":
            return NEVER
        nominated = pod.pod.status.nominatedNodeName
        node = self._handle.snapshot.nodes.get(nominated)
        if node is None:
            return ""
        status = statuses.get(nominated)
        if status is None or status.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE:
            return ""  # the nomination is in vain: look for another node
        for other in node.pods.values():
            if other.priority < pod.priority and _is_preempted(other.pod):
                return TERMINATING
        return ""


def select_candidate(candidates: Sequence[Candidate]) -> Candidate:
    """Return the cheapest; the first of those that are equal in all respects."""
    return min(candidates, key=cost)


def importance(pod: PodInfo) -> tuple[float, float]:
    """Return a sort key: higher priority first, then those that have run for longest."""
    return (-pod.priority, _started(pod.pod))


def split_by_budget(
    pods: Sequence[PodInfo], budgets: Sequence[PodDisruptionBudget]
) -> tuple[list[PodInfo], list[PodInfo]]:
    """Part the Pods whose removal breaks a budget from the others, keeping their order."""
    allowed = [each.status.disruptionsAllowed for each in budgets]
    protected: list[PodInfo] = []
    free: list[PodInfo] = []
    for info in pods:
        broken = False
        for index, budget in enumerate(budgets):
            if _protects(budget, info.pod):
                allowed[index] -= 1
                broken = allowed[index] < 0
            if broken:  # one broken budget is enough; the others lose nothing by it
                break
        (protected if broken else free).append(info)
    return protected, free


def _protects(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Say whether the Pod counts for the budget; one with an empty selector counts none."""
    meta, selector = pod.metadata, budget.spec.selector
    if budget.metadata.namespace != meta.namespace or not meta.labels or selector is None:
        return False
    if not selector.matchLabels and not selector.matchExpressions:
        return False
    gone_already = meta.name in budget.status.disruptedPods
    return selector_matches(selector, meta.labels) and not gone_already


def cost(candidate: Candidate) -> tuple[float, ...]:
    """Return a sort key, the cheapest first.

    In this order: fewest broken budgets, least important victim at the top, smallest sum of
    priorities, fewest victims, latest start of the most important ones.
    """
    victims = candidate.victims
    priorities = [each.spec.priority or 0 for each in victims]
    highest = max(priorities, default=0)
    first = min((_started(p) for p in victims if (p.spec.priority or 0) == highest), default=0.0)
    return (
        candidate.violations,
        highest,
        sum(each + 2**31 for each in priorities),
        len(victims),
        -first,
    )


def _started(pod: Pod) -> float:
    """Return when the Pod started (virtual seconds); one that has not is the youngest of all."""
    return seconds(pod.status.startTime) if pod.status.startTime else FOREVER


def _is_preempted(pod: Pod) -> bool:
    """Say whether the Pod is on its way out because of a preemption."""
    return pod.metadata.deletionTimestamp is not None and any(
        each.type == "DisruptionTarget"
        and each.status == "True"
        and each.reason == "PreemptionByScheduler"
        for each in pod.status.conditions
    )
