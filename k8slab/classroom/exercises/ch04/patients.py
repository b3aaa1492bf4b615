"""Exercise 04.4: four Pods that do not serve; what is the matter with each, and who has logs?

Their STATUS columns are hidden: the learner reads lanes, phases and Events.

Rule of use: the causes are planted in the manifests; the logs are asked for in the cluster.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (6, 18)
AFTER = 120.0  # virtual seconds
MISSING_IMAGE = "nginx:1.72"
CAUSES = ("no node", "no image", "crashes", "not ready")
PODS: Mapping[str, tuple[str, str]] = {
    "anna": ("crashes", 'image: "busybox:1.37", command: [sh, -c, "echo no flour; exit 2"]'),
    "bert": ("no image", f'image: "{MISSING_IMAGE}"'),
    "cleo": ("not ready", 'image: "nginx:1.27", readinessProbe: {tcpSocket: {port: 8080}}'),
    "dora": ("no node", 'image: "nginx:1.27", resources: {requests: {cpu: "64"}}'),
}
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec: {{containers: [{{name: main, {container}}}]}}
---"""
WORLD = "".join(POD.format(name=name, container=one) for name, (_, one) in PODS.items())
BECAUSE: Mapping[str, tuple[str, int]] = {
    "anna": ("It was started, and ended with exit code 2, again and again.", 11),
    "bert": ("No container of it was ever started: RESTARTS is 0, and the image is missing.", 12),
    "cleo": ("Its container runs and was never restarted; its readiness probe fails.", 10),
    "dora": ("It has no node: it asks for more CPU than any node has.", 13),
}
LOGS = frozenset({"anna", "cleo"})  # whose containers have been started


def world(seed: int) -> Cluster:
    """Return the four Pods."""
    cluster = boot(seed, workers=1)
    cluster.break_image(MISSING_IMAGE)
    Terminal(cluster).run(f"apply -f -\n{WORLD}")
    cluster.run(AFTER)
    return cluster


@cache
def observe(seed: int, name: str) -> Evidence:
    """Return what the cluster shows of a Pod."""
    cluster = world(seed)
    line = Terminal(cluster).run(f"get pod {name} --no-headers").stdout
    logs = Terminal(cluster).run(f"logs {name}")
    has = "has logs" if logs.exit_code == 0 else "has no logs"
    assert (logs.exit_code == 0) == (name in LOGS), logs.stderr
    return seen(cluster, f"{' '.join(line.split())}; {has}")


def grade(answer: Any) -> Finding:
    """Judge a mapping of names to causes, and under "logs" the names of those that have some."""
    causes = ", ".join(CAUSES)
    expected = f'a cause for each ({causes}) and "logs": ["anna", ...]'
    if not isinstance(answer, Mapping) or not answer:
        return wrong_kind(expected, answer)
    given = {str(key).strip().lower(): value for key, value in answer.items()}
    logs = given.pop("logs", None)
    odd = {n: cause for n, cause in given.items() if n not in PODS or cause not in CAUSES}
    if odd:
        return wrong_kind(expected, odd)
    for name in PODS:
        if name not in given:
            return wrong(f"What is the matter with {name}?")
    if isinstance(logs, str):
        logs = [logs]
    if not isinstance(logs, list | tuple | set | frozenset) or not set(map(str, logs)) <= set(PODS):
        return wrong_kind('the names of those that have logs, such as "logs": ["anna"]', logs)
    wrongs = [name for name in PODS if given[name] != PODS[name][0]]
    if wrongs:
        name = wrongs[0]
        because, number = BECAUSE[name]
        text = f"{len(PODS) - len(wrongs)} of {len(PODS)} are right. {name}: not {given[name]!r}."
        return wrong(f"{text} {because}", number, (observe(SEEDS[0], name),))
    for name in sorted(set(PODS)):
        if (name in logs) != (name in LOGS):
            text = "All four causes are right. A container that was started has logs, one that was "
            text += f"never started has none: look at {name} again."
            return almost(text, 12, (observe(SEEDS[0], name),))
    return right(
        "Right. No node, no image: nothing ever ran, there is nothing to read in logs. Crashing: "
        "read the log of the run before. Not ready: it runs, and the probe's Events say why not.",
        tuple(observe(seed, name) for seed in SEEDS[:1] for name in PODS),
    )


EXERCISE = Exercise(
    key="04.4",
    title="Four that do not serve",
    points=2,
    hints=(
        "NODE first: who has none? Then RESTARTS: who was started more than once?",
        "`kubectl events --for pod/NAME` and `kubectl logs NAME` tell the rest.",
        "anna was started and failed, bert never had an image, cleo runs, dora has no node.",
    ),
    grade=grade,
    world=world,
)
