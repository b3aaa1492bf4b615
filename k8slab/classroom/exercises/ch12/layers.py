"""Exercise 12.4: five requests fail, each in another layer. Which?

The names of the Services are the learner's own; the faults are the same for all: a name of another
namespace, a list without a ready address, a wrong targetPort, a process at 127.0.0.1, a policy.

Rule of use: the check sends the requests, and shows of each what was seen.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.worlds import CLIENT, boot, seen
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "12.4"
SEEDS = (7, 19)
LAYERS = ("name", "endpoints", "port", "process", "policy")
ENDS = dict(zip(LAYERS, ("unresolved", "refused", "refused", "refused", "timed out"), strict=True))
VARIANTS = (
    ("cedar", "alder", "maple", "birch", "elder"),
    ("birch", "elder", "alder", "maple", "cedar"),
    ("elder", "maple", "cedar", "alder", "birch"),
    ("maple", "cedar", "birch", "elder", "alder"),
)  # the Service whose fault is LAYERS[0], LAYERS[1], ...
TIMEOUT = 3.0  # s
SERVER = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:1.37
    command: [sh, -c, "echo {name} > /index.html; httpd -f -p {listens} -h /"]{probe}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: {target}}}]}}
---"""
NOT_READY = """
    readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 1}}"""
WALL = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: only-own}}
spec:
  podSelector: {{matchLabels: {{app: {name}}}}}
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app: {name}}}}}}}]}}]
"""
ELSE = """
apiVersion: v1
kind: Namespace
metadata: {name: yard}
---"""
WITNESS: Mapping[str, str] = {  # what tells that it is this layer
    "name": "there was no address to connect to, and no packet was sent. In which namespace is "
    "that Service?",
    "endpoints": "the request was refused by a rule of the client's own node, and it says why. It "
    "came to no Pod.",
    "port": "the request came to a Pod, which refused it. `kubectl exec POD -- netstat -ltn` says "
    "on which number the process listens: is it the one to which the rule sends?",
    "process": "the request came to a Pod, at the port on which its process listens, and was "
    "refused. `kubectl exec POD -- netstat -ltn` shows at which address it listens.",
    "policy": "the name, the list and the rule are fine, and nobody refuses: the packet was "
    "dropped on its way. Who may do that?",
}
CURES = {"name": 19, "endpoints": 18, "port": 7, "process": 8, "policy": 18}


def world(names: tuple[str, ...], seed: int) -> Cluster:
    """Return the five Services, and a client."""
    name, endpoints, port, process, policy = names
    manifest = ELSE + "".join(
        SERVER.format(name=each, namespace=where, listens=listens, target=target, probe=probe)
        for each, where, listens, target, probe in (
            (name, "yard", "8080", 8080, ""),
            (endpoints, "default", "8080", 8080, NOT_READY.format()),
            (port, "default", "8080", 80, ""),
            (process, "default", "127.0.0.1:8080", 8080, ""),
            (policy, "default", "8080", 8080, ""),
        )
    )
    return boot(seed, manifest + WALL.format(name=policy) + CLIENT)


@cache
def observe(names: tuple[str, ...], seed: int) -> Mapping[str, Evidence]:
    """Return what was seen of each request, by layer; each fails as it should."""
    cluster = world(names, seed)
    found = {}
    for layer, name in zip(LAYERS, names, strict=True):
        answer = cluster.request("pod/client", f"http://{name}", timeout=TIMEOUT)
        assert answer.outcome == ENDS[layer], (name, answer.outcome)
        rule = answer.decisive_rule
        by = f"; {rule.text}" if rule is not None else ""
        found[layer] = seen(cluster, f"http://{name}: {answer.outcome}{by}")
    return found


def grade(names: tuple[str, ...], answer: Any) -> Finding:
    """Judge a dict of Services and layers."""
    expected = f"a dict of {', '.join(sorted(names))}, each one of {', '.join(LAYERS)}"
    if not isinstance(answer, Mapping) or not set(names) <= set(answer):
        return wrong_kind(expected, answer)
    given = {name: answer[name] for name in names}
    said = {n: word.strip().lower() if isinstance(word, str) else word for n, word in given.items()}
    if any(word not in LAYERS for word in said.values()):
        return wrong_kind(expected, answer)
    shown, *_ = (observe(names, seed) for seed in SEEDS)
    missed = [layer for layer, name in zip(LAYERS, names, strict=True) if said[name] != layer]
    if not missed:
        return right(
            "All five. Name, endpoints, port, process, policy: ask in this order, and each answer "
            "tells who is to be asked next.",
            tuple(shown.values()),
        )
    layer = missed[0]
    name = names[LAYERS.index(layer)]
    text = (
        f"{len(LAYERS) - len(missed)} of {len(LAYERS)} are right. {name} does not fail at "
        f"`{said[name]}`: {WITNESS[layer]}"
    )
    return (almost if len(missed) <= 2 else wrong)(text, CURES[layer], (shown[layer],))


def variant(names: tuple[str, ...]) -> Exercise:
    """Return the exercise with these names."""
    return Exercise(
        key=KEY,
        title="Five layers",
        points=2,
        hints=(
            "Send each request: `print(cluster.request('pod/client', 'http://...', timeout=3))`. "
            "One is unresolved, one times out, three are refused.",
            "Of the three that are refused: which rule was the last? One says `has no endpoints`, "
            "two send to a Pod, which refuses.",
            "For these two compare `kubectl describe service` (TargetPort) with `kubectl exec POD "
            "-- netstat -ltn` (address and number).",
        ),
        grade=partial(grade, names),
        world=partial(world, names),
        task=f"the five requests go to {', '.join(f'`http://{n}`' for n in sorted(names))}.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, VARIANTS))


EXERCISE = variant(VARIANTS[0])
