"""What a Pod's failure means for its Job: the first rule that matches decides.

`match` returns the action (FailJob, FailIndex, Ignore, Count) and the sentence that says why.

Rule of use: without a rule that matches, a failure counts towards the back-off limit.

Upstream: pkg/controller/job/pod_failure_policy.go
"""

from __future__ import annotations

from k8slab.api.batch import Job, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule
from k8slab.api.core import Pod
from k8slab.client import key_of

COUNT, IGNORE, FAIL_JOB, FAIL_INDEX = "Count", "Ignore", "FailJob", "FailIndex"


def match(job: Job, pod: Pod) -> tuple[str, str]:
    """Return the action for a failed Pod, and the message of a rule that matched ("" if none)."""
    policy = job.spec.podFailurePolicy
    for index, rule in enumerate(policy.rules if policy is not None else ()):
        why = _by_exit_code(rule, pod) or _by_condition(rule, pod)
        if why:
            return rule.action, f"{why} matching {rule.action} rule at index {index}"
    return COUNT, ""


def _by_exit_code(rule: PodFailurePolicyRule, pod: Pod) -> str:
    wanted = rule.onExitCodes
    if wanted is None:
        return ""
    for status in (*pod.status.containerStatuses, *pod.status.initContainerStatuses):
        ended = status.state.terminated if status.state is not None else None
        if ended is None or wanted.containerName not in (None, status.name):
            continue
        if _matches(wanted, ended.exitCode):
            return (
                f"Container {status.name} for pod {key_of(pod)} "
                f"failed with exit code {ended.exitCode}"
            )
    return ""


def _matches(wanted: PodFailurePolicyOnExitCodesRequirement, code: int) -> bool:
    if code == 0:
        return False
    return (code in wanted.values) == (wanted.operator == "In")


def _by_condition(rule: PodFailurePolicyRule, pod: Pod) -> str:
    for pattern in rule.onPodConditions:
        for found in pod.status.conditions:
            if found.type == pattern.type and found.status == (pattern.status or "True"):
                return f"Pod {key_of(pod)} has condition {found.type}"
    return ""
