"""Exercise 06.2: the selector of a Service that catches some Pods and no others.

The Pods of a shop's web page, stable and canary, are wanted; its API, a load test with a misleading
name and the page of a blog are not. Labels are given so that several selectors do it. The check
puts the answer into a Service, reads its EndpointSlices, then rolls out the next version.

Rule of use: what counts is who is behind the Service, before and after the rollout.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.api import labels as label_selectors
from k8slab.api import to_yaml
from k8slab.api.core import Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import boot, listed, members, names, pods_with, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 17)
WANTED = "app=shop,tier=web"  # the truth, as the world was made
SHOP: Mapping[str, str] = {"app": "shop", "tier": "web", "serves": "people"}
PODS: tuple[tuple[str, int, Mapping[str, str]], ...] = (
    ("shop-web", 2, {**SHOP, "track": "stable"}),
    ("shop-web-canary", 1, {**SHOP, "track": "canary"}),
    ("shop-api", 2, {"app": "shop", "tier": "api", "serves": "programs", "track": "stable"}),
    ("shop-web-loadtest", 1, {"app": "shop", "tier": "loadtest", "serves": "tests"}),
    ("blog-web", 1, {"app": "blog", "tier": "web", "serves": "people", "track": "stable"}),
)
TODAY, NEXT, OTHERS = "r41", "r42", "r40"  # releases of the page, and of everything else


def world(seed: int) -> Cluster:
    """Return the Pods, without a Service."""
    return boot(seed, manifest(TODAY))


def manifest(release: str) -> str:
    """Return the Deployments, the shop's page in a release."""
    return "---\n".join(_deployment(name, count, labels, release) for name, count, labels in PODS)


def _deployment(name: str, replicas: int, labels: Mapping[str, str], release: str) -> str:
    wanted = SHOP.items() <= labels.items()
    labels = {**labels, "release": release if wanted else OTHERS}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"deployment": name}},
        "template": {
            "metadata": {"labels": {"deployment": name, **labels}},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {"name": "main", "image": "busybox:1.37", "command": ["sleep", "1000000"]}
                ],
            },
        },
    }
    return to_yaml(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    )


def grade(answer: Any) -> Finding:
    """Judge the selector of a Service: a mapping, or "key=value,key=value"."""
    selector = _selector(answer)
    if isinstance(selector, Finding):
        return selector
    finding = None
    for seed in SEEDS:
        finding = _try(seed, selector)
        if finding.rung != "right":
            return finding
    assert finding is not None
    return finding


def _selector(answer: Any) -> dict[str, str] | Finding:
    """Return the answer as labels, or what is wrong with its form."""
    expected = 'a mapping of labels such as {"app": "shop"}'
    if isinstance(answer, str):
        try:
            parsed = label_selectors.parse(answer)
        except ValueError:
            return wrong_kind(expected, answer)
        if any(one.operator not in ("=", "==") for one in parsed.requirements):
            return wrong(
                "`kubectl get -l` and Deployments understand sets and negations; a Service does "
                "not. Its selector is a plain list of labels, and a Pod must bear all of them."
            )
        return {one.key: one.values[0] for one in parsed.requirements}
    if not isinstance(answer, Mapping):
        return wrong_kind(expected, answer)
    if set(answer) == {"matchLabels"}:
        return wrong(
            "`matchLabels` belongs to Deployments and ReplicaSets. The selector of a Service is "
            "older and plainer: the labels themselves."
        )
    for key, value in answer.items():
        if not isinstance(key, str) or not isinstance(value, str):
            return wrong_kind(f"{expected}, with texts on both sides", answer)
    return dict(answer)


def _try(seed: int, selector: dict[str, str]) -> Finding:
    cluster = world(seed)
    refused = _create_service(cluster, selector)
    if refused:
        return wrong(f"The API server does not take this selector: {refused}")
    cluster.settle(3)
    finding = _compare(cluster, selector)
    if finding is not None:
        return finding
    found = listed(members(cluster.view, "shop"))
    now = seen(cluster, f"behind the Service: {found}")
    cluster.apply(manifest(NEXT))
    cluster.settle(6)
    if _compare(cluster, selector) is not None:
        return almost(
            "Right for today's Pods. The next release gives them another label, and the Service "
            "does not follow: select by what stays, not by what every rollout changes.",
            evidence=(seen(cluster, f"behind it: {listed(members(cluster.view, 'shop'))}"),),
        )
    then = seen(cluster, f"after the rollout: {listed(members(cluster.view, 'shop'))}")
    return right(
        "Right: exactly the wanted Pods, and still after a rollout gave all of them new names "
        "and addresses. The Service never learned of any Deployment.",
        (now, then),
    )


def _create_service(cluster: Cluster, selector: dict[str, str]) -> str:
    """Create the Service and return what was said against it, if anything."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop"},
        "spec": {"selector": selector, "ports": [{"port": 80}]},
    }
    result = Terminal(cluster).run(f"apply -f -\n{to_yaml(service)}")
    return "" if result.exit_code == 0 else result.stderr.strip()


def _compare(cluster: Cluster, selector: dict[str, str]) -> Finding | None:
    """Return what is wrong with who is behind the Service, None if nothing is."""
    view = cluster.view
    wanted, found = names(pods_with(view, WANTED)), members(view, "shop")
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if not missing and not extra:
        return None
    evidence = (seen(cluster, f"behind the Service: {listed(found)}"),)
    if not selector:
        return wrong(
            "A Service without a selector selects nothing: its list is left to somebody else. "
            "Name labels that all wanted Pods bear.",
            evidence=evidence,
        )
    if not found:
        return wrong(_nobody(view.list(Pod, "default"), selector), 6, evidence)
    if missing and not extra:
        return wrong(
            f"Nobody is in by mistake, and {listed(missing)} should be in as well: it does not "
            "bear every label of your selector. The canary serves customers too.",
            evidence=evidence,
        )
    return wrong(
        f"{listed(extra)} should not be in, and bears every label that you name. Look for a label "
        "that the wanted Pods share and this one does not; names say nothing to a selector.",
        6,
        evidence,
    )


def _nobody(pods: list[Pod], selector: dict[str, str]) -> str:
    for key, value in selector.items():
        if not any(pod.metadata.labels.get(key) == value for pod in pods):
            return (
                f"No Pod bears `{key}={value}`, so the Service selects nobody. A selector reads "
                "labels: the names of Pods and Deployments mean nothing to it."
            )
    return "Each of your labels is borne by some Pod, and no Pod bears all of them."


EXERCISE = Exercise(
    key="06.2",
    title="Catch exactly these",
    points=2,
    hints=(
        "`kubectl get pods --show-labels` shows what there is to choose from. Mark the wanted Pods "
        "and look for what they share.",
        "One label is not enough: each one that all wanted Pods share is borne by another Pod "
        "too. A Pod must bear every label of a selector.",
        "`app` tells the shop from the blog. Which second label tells the page from the API and "
        "from the load test, and survives a rollout?",
    ),
    grade=grade,
    world=world,
)
