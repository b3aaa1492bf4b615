"""Validation of what a Job makes of its Pods' ends: failure policy, success policy, indexes.

Upstream: pkg/apis/batch/validation/validation.go (validatePodFailurePolicy, validateSuccessPolicy)
"""

from __future__ import annotations

from k8slab.api.batch import (
    JobSpec,
    PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
    SuccessPolicyRule,
)
from k8slab.api.errors import (
    duplicate,
    invalid_part,
    invalid_value,
    not_supported,
    required,
    too_long,
    too_many,
)
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    each,
    not_negative,
    qualified_name,
)

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")
MAX_RULES = 20
MAX_EXIT_CODES = 255
MAX_PATTERNS = 20
MAX_INDEXES_TEXT = 64 * 1024  # bytes
INDEXED_ONLY = "requires indexed completion mode"


def pod_failure_policy(path: str, spec: JobSpec) -> Errors:
    """Yield what is wrong with the rules for failed Pods; a Job may have none."""
    if spec.podFailurePolicy is None:
        return
    rules = spec.podFailurePolicy.rules
    if len(rules) > MAX_RULES:
        yield too_many(f"{path}.rules", MAX_RULES)
    pod = spec.template.spec
    names = tuple(container.name for container in (*pod.containers, *pod.initContainers))
    for index, rule in enumerate(rules):
        yield from _failure_rule(f"{path}.rules[{index}]", rule, spec, names)


def success_policy(path: str, spec: JobSpec) -> Errors:
    """Yield what is wrong with the rules for success; only an indexed Job may have them."""
    if spec.successPolicy is None:
        return
    if spec.completionMode != "Indexed":
        yield invalid_value(path, spec.successPolicy, INDEXED_ONLY)
        return
    rules = spec.successPolicy.rules
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield required(f"{path}.rules", text)
    if len(rules) > MAX_RULES:
        yield too_many(f"{path}.rules", MAX_RULES)
    for index, rule in enumerate(rules):
        yield from _success_rule(f"{path}.rules[{index}]", rule, spec.completions or 0)


def pod_replacement_policy(path: str, spec: JobSpec) -> Errors:
    """Yield an error if Pods are replaced sooner than a failure policy can judge them."""
    policy = spec.podReplacementPolicy
    supported = (
        ("Failed",) if spec.podFailurePolicy is not None else ("Failed", "TerminatingOrFailed")
    )
    if policy is not None and policy not in supported:
        yield not_supported(path, policy, supported)


def count_indexes(text: str, completions: int) -> int:
    """Count the indexes in a text such as "1,3-5"; a ValueError says what is wrong with it.

    >>> count_indexes("1,3-5", 10)
    4
    """
    total, previous = 0, None
    for interval in text.split(",") if text else ():
        ends = interval.split("-")
        if len(ends) > 2:
            raise ValueError(
                f'the fragment "{interval}" violates the requirement that an index interval can '
                "have at most two parts separated by '-'"
            )
        first, last = (_index(end, completions) for end in (ends[0], ends[-1]))
        if previous is not None and previous >= first:
            raise ValueError(f"non-increasing order, previous: {previous}, current: {first}")
        if len(ends) == 2 and first >= last:
            raise ValueError(f"non-increasing order, previous: {first}, current: {last}")
        total, previous = total + last - first + 1, last
    return total


def _index(text: str, completions: int) -> int:
    try:
        index = int(text)
    except ValueError:
        raise ValueError(f'cannot convert string to integer for index: "{text}"') from None
    if index >= completions:
        raise ValueError(f'too large index: "{text}"')
    return index


def _valid_values(values: tuple[str, ...]) -> str:
    quoted = " ".join(f'"{value}"' for value in values)
    return f"valid values: [{quoted}]"


def _supported(path: str, value: str, values: tuple[str, ...]) -> Errors:
    if not value:
        yield required(path, _valid_values(values))
    elif value not in values:
        yield not_supported(path, value, values)


def _failure_rule(
    path: str, rule: PodFailurePolicyRule, spec: JobSpec, names: tuple[str, ...]
) -> Errors:
    if rule.action == "FailIndex" and spec.backoffLimitPerIndex is None:
        text = "requires the backoffLimitPerIndex to be set"
        yield invalid_value(f"{path}.action", rule.action, text)
    yield from _supported(f"{path}.action", rule.action, ACTIONS)
    if rule.onExitCodes is not None:
        yield from _exit_codes(f"{path}.onExitCodes", rule.onExitCodes, names)
    if rule.onPodConditions:
        yield from _patterns(f"{path}.onPodConditions", rule.onPodConditions)
    if rule.onExitCodes is not None and rule.onPodConditions:
        yield invalid_part(path, "specifying both OnExitCodes and OnPodConditions is not supported")
    if rule.onExitCodes is None and not rule.onPodConditions:
        yield invalid_part(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_codes(
    path: str, codes: PodFailurePolicyOnExitCodesRequirement, names: tuple[str, ...]
) -> Errors:
    yield from _supported(f"{path}.operator", codes.operator, OPERATORS)
    if codes.containerName is not None and codes.containerName not in names:
        text = "must be one of the container or initContainer names in the pod template"
        yield invalid_value(f"{path}.containerName", codes.containerName, text)
    where, values = f"{path}.values", codes.values
    if not values:
        yield invalid_value(where, values, "at least one value is required")
    elif len(values) > MAX_EXIT_CODES:
        yield too_many(where, MAX_EXIT_CODES)
    for index, code in enumerate(values):
        if codes.operator == "In" and code == 0:
            yield invalid_value(f"{where}[{index}]", code, "must not be 0 for the In operator")
        if code in values[:index]:
            yield duplicate(f"{where}[{index}]", code)
    if list(values) != sorted(values):
        yield invalid_value(where, values, "must be ordered")


def _patterns(path: str, patterns: tuple[PodFailurePolicyOnPodConditionsPattern, ...]) -> Errors:
    if len(patterns) > MAX_PATTERNS:
        yield too_many(path, MAX_PATTERNS)
    for index, pattern in enumerate(patterns):
        where = f"{path}[{index}]"
        yield from each(f"{where}.type", pattern.type, qualified_name(pattern.type))
        yield from _supported(f"{where}.status", pattern.status, STATUSES)


def _success_rule(path: str, rule: SuccessPolicyRule, completions: int) -> Errors:
    indexes, wanted = rule.succeededIndexes, rule.succeededCount
    if wanted is None and indexes is None:
        text = "at least one of succeededCount or succeededIndexes must be specified"
        yield required(path, text)
    total = 0
    if indexes is not None:
        where = f"{path}.succeededIndexes"
        if len(indexes) > MAX_INDEXES_TEXT:
            yield too_long(where, MAX_INDEXES_TEXT)
        try:
            total = count_indexes(indexes, completions)
        except ValueError as wrong:
            yield invalid_value(where, indexes, f"error parsing succeededIndexes: {wrong}")
    if wanted is None:
        return
    where = f"{path}.succeededCount"
    yield from not_negative(where, wanted)
    for most, of in (
        (completions, "specified completions"),
        (
            total if indexes is not None else wanted,
            "indexes in the specified succeededIndexes field",
        ),
    ):
        if wanted > most:
            text = f"must be less than or equal to {most} (the number of {of})"
            yield invalid_value(where, wanted, text)
