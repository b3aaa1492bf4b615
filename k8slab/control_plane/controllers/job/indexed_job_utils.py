"""Indexed Jobs: each Pod works on one number, and each number has to succeed once.

`parse` and `show` convert between numbers and the text of the status ("0,2-4"); `index_of` reads
a Pod's number, `missing` says which numbers need a Pod, `superfluous` which Pods nobody needs, and
`pod_of_index` gives a Pod its number.

Rule of use: numbers at or above `completions` do not count.

Upstream: pkg/controller/job/indexed_job_utils.go
"""

from __future__ import annotations

from collections.abc import Container as Holder
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from k8slab.api.batch import Job
from k8slab.api.core import Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod
from k8slab.api.pods import is_pod_active

COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count"
ENVIRONMENT = "JOB_COMPLETION_INDEX"


def is_indexed(job: Job) -> bool:
    """Say whether each completion has a number."""
    return job.spec.completionMode == "Indexed"


def parse(text: str | None) -> list[int]:
    """Return the numbers that a text such as "0,2-4" stands for.

    >>> parse("0,2-4"), show([4, 0, 3, 2, 6])
    ([0, 2, 3, 4], '0,2-4,6')
    """
    numbers: list[int] = []
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if first:
            numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def show(numbers: Iterable[int]) -> str:
    """Write numbers as ranges, in order."""
    parts: list[list[int]] = []
    for number in sorted(dict.fromkeys(numbers)):
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def index_of(pod: Pod) -> int:
    """Return the Pod's number, -1 if it has none."""
    text = pod.metadata.annotations.get(COMPLETION_INDEX, "")
    return int(text) if text.isdecimal() else -1


def missing(job: Job, pods: Iterable[Pod], done: Holder[int], count: int) -> tuple[int, ...]:
    """Return the lowest numbers that are not done and have no active Pod, at most `count`."""
    active = {index_of(pod) for pod in pods if is_pod_active(pod)}
    free = [
        number
        for number in range(job.spec.completions or 0)
        if number not in done and number not in active
    ]
    return tuple(free[:count])


def superfluous(job: Job, pods: Sequence[Pod]) -> list[Pod]:
    """Return the Pods whose number does not count or is another's too; the best of each stays."""
    kept: dict[int, Pod] = {}
    for pod in pods:  # the last of a number is the one that has done the most
        if 0 <= index_of(pod) < (job.spec.completions or 0):
            kept[index_of(pod)] = pod
    staying = [pod.metadata.uid for pod in kept.values()]
    return [pod for pod in pods if pod.metadata.uid not in staying]


def failure_count(pod: Pod) -> int:
    """Return how often the Pod's number had failed before this Pod."""
    text = pod.metadata.annotations.get(FAILURE_COUNT, "0")
    return int(text) if text.isdecimal() else 0


def pod_of_index(job: Job, pod: Pod, index: int, failures: int) -> Pod:
    """Return the Pod with its number in name, labels, annotations and environment."""
    name, meta = job.metadata.name, pod.metadata
    number = {COMPLETION_INDEX: str(index)}
    annotations = {**meta.annotations, **number}
    if job.spec.backoffLimitPerIndex is not None:
        annotations[FAILURE_COUNT] = str(failures)
    meta = replace(
        meta,
        generateName=f"{name}-{index}-",
        labels={**meta.labels, **number},
        annotations=annotations,
    )
    spec = replace(
        pod.spec,
        hostname=f"{name}-{index}",
        containers=tuple(map(_told, pod.spec.containers)),
        initContainers=tuple(map(_told, pod.spec.initContainers)),
    )
    return replace(pod, metadata=meta, spec=spec)


def _told(container: Container) -> Container:
    if any(variable.name == ENVIRONMENT for variable in container.env):
        return container
    field = ObjectFieldSelector(apiVersion="v1", fieldPath=f"metadata.labels['{COMPLETION_INDEX}']")
    variable = EnvVar(name=ENVIRONMENT, valueFrom=EnvVarSource(fieldRef=field))
    return replace(container, env=(*container.env, variable))
