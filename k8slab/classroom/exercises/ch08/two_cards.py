"""Exercise 08.4: two ReplicaSets with one selector, after one of them was renewed.

The bar's card is a copy of the ushers', label and all. When the ushers' ReplicaSet was deleted with
its Pods kept, the bar adopted them and gave up its own; now it owns two ushers, and nobody serves
drinks. A repair is a list of kubectl commands. It must part the two for good.

Rule of use: what counts is who runs and who owns whom, before and after the ushers are renewed.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import controller_of
from k8slab.api.pods import is_pod_active, is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, listed, names, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster
    from k8slab.cluster.view import View

SEEDS = (7, 18)
MOST_COMMANDS, MOST_REPLICAS = 20, 50
USHERS, DRINKS = "traefik/whoami:v1.11", "nginx:1.27"  # the images of the two crafts
WANTED = {USHERS: 3, DRINKS: 2}
CARD = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{team: ushers}}}}
  template:
    metadata: {{labels: {{team: ushers}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "{image}"}}]
"""
USHERS_CARD = CARD.format(name="ushers", replicas=3, image=USHERS)
BAR_CARD = CARD.format(name="bar", replicas=2, image=DRINKS)


def world(seed: int) -> Cluster:
    """Return the theater on the evening after the ushers' card was renewed."""
    cluster = boot(seed, USHERS_CARD)
    cluster.run(60)
    cluster.apply(BAR_CARD)
    cluster.settle(3)
    renew(cluster)
    return cluster


def renew(cluster: Cluster) -> None:
    """Delete the ushers' ReplicaSet, keep its Pods, and apply it again a little later."""
    Terminal(cluster).run("delete rs ushers --cascade=orphan")
    cluster.settle(3)
    cluster.apply(USHERS_CARD)
    cluster.settle(3)


def crew(view: View, image: str) -> list[Pod]:
    """Return the Pods of a craft that are not on their way out."""
    pods = [pod for pod in view.list(Pod, "default") if is_pod_active(pod)]
    return [pod for pod in pods if pod.spec.containers[0].image == image]


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get rs",
        seeds=SEEDS,
        attempt=attempt_of(world, _uid, _judge),
        praise="Repaired: three ushers, two at the bar, and neither selector catches the other's "
        "Pods. The ushers' card was renewed once more, and this time nobody was lost.",
    )


def _uid(cluster: Cluster) -> str:
    found = cluster.view.get(ReplicaSet, "ushers")
    return found.metadata.uid if found is not None else ""


def _judge(cluster: Cluster, uid: str) -> Finding:
    return _kept(cluster, uid) or _staffed(cluster) or _parted(cluster) or _lasts(cluster)


def _kept(cluster: Cluster, uid: str) -> Finding | None:
    found = cluster.view.get(ReplicaSet, "ushers")
    if found is None:
        return wrong("The ReplicaSet ushers is gone. It is the bar's card that is a bad copy.")
    if found.metadata.uid != uid:
        return wrong(
            "The ReplicaSet ushers was deleted and made anew. It was right: mend the bar's card, "
            "which is the copy."
        )
    return None


def _staffed(cluster: Cluster) -> Finding | None:
    """Say who is missing, or too many."""
    view = cluster.view
    ushers, drinks = crew(view, USHERS), crew(view, DRINKS)
    if not drinks:
        return _nobody(cluster)
    alone = [pod for pod in drinks if controller_of(pod) is None]
    if alone:
        return wrong(
            f"{listed(names(alone))} has no controller: if it is lost, nobody makes another.", 14
        )
    for image, pods in ((USHERS, ushers), (DRINKS, drinks)):
        if len(pods) != WANTED[image] or not all(map(is_pod_ready, pods)):
            craft = "ushers" if image == USHERS else "Pods of the bar"
            return almost(
                f"There are {len(pods)} {craft}, of which {sum(map(is_pod_ready, pods))} ready; "
                f"{WANTED[image]} are wanted.",
                evidence=(seen(cluster, f"running: {listed(names((*ushers, *drinks)))}"),),
            )
    return None


def _nobody(cluster: Cluster) -> Finding:
    owners = [rs for rs in cluster.view.list(ReplicaSet, "default") if _image(rs) == DRINKS]
    if not owners:
        return wrong("Nobody serves drinks, and no ReplicaSet makes anybody who could.")
    rs = owners[0]
    own = [p for p in crew(cluster.view, USHERS) if _owned(rs, p)]
    if own:
        return wrong(
            f"Nobody serves drinks: {rs.metadata.name} owns {listed(names(own))}, which are "
            "ushers. It has its number, so it makes no more. A selector asks labels, not images.",
            15,
            (seen(cluster, f"{rs.metadata.name} wants {rs.spec.replicas} and has {len(own)}"),),
        )
    return wrong(f"Nobody serves drinks: {rs.metadata.name} wants {rs.spec.replicas} Pods.")


def _parted(cluster: Cluster) -> Finding | None:
    """Say whose selector still catches a Pod of the other craft."""
    pods = [*crew(cluster.view, USHERS), *crew(cluster.view, DRINKS)]
    for rs in cluster.view.list(ReplicaSet, "default"):
        selector = from_label_selector(rs.spec.selector)
        caught = [p for p in pods if not _owned(rs, p) and selector.matches(p.metadata.labels)]
        if caught and rs.spec.replicas:
            return almost(
                f"It works tonight. But {rs.metadata.name} selects {listed(names(caught))} as "
                "well, and will adopt them on the day on which they have no owner. Part the "
                "labels, so that neither selector matches the other's Pods.",
                15,
                (seen(cluster, f"{rs.metadata.name} selects {listed(names(caught))} too"),),
            )
    return None


def _lasts(cluster: Cluster) -> Finding:
    """Renew the ushers' card again, and see whether all stay."""
    before = names([*crew(cluster.view, USHERS), *crew(cluster.view, DRINKS)])
    renew(cluster)
    after = names([*crew(cluster.view, USHERS), *crew(cluster.view, DRINKS)])
    evidence = (seen(cluster, f"after the renewal: {listed(after)}"),)
    if before == after:
        return right("", evidence)
    lost = [name for name in before if name not in after]
    return almost(f"When the ushers' card was renewed, {listed(lost)} was lost.", 15, evidence)


def _owned(rs: ReplicaSet, pod: Pod) -> bool:
    owner = controller_of(pod)
    return owner is not None and owner.uid == rs.metadata.uid


def _image(rs: ReplicaSet) -> str:
    return rs.spec.template.spec.containers[0].image


EXERCISE = Exercise(
    key="08.4",
    title="The copied card",
    points=3,
    hints=(
        "`kubectl get rs -o wide` shows the selectors side by side. Then ask each Pod for its "
        "owner and for its image.",
        "A selector is immutable. So the bar's ReplicaSet must be deleted and made again, with "
        "a label that no usher bears.",
        "`kubectl delete rs bar`, then `kubectl apply -f -` and below it the bar's YAML, with "
        "`team: bar` in the selector and in the template.",
    ),
    grade=grade,
    world=world,
)
