"""Exercise 12.5: notes that nobody answers: a stale UDP flow on a node without kube-proxy.

kube-proxy no longer runs on worker-1, the clerk was replaced, and a client there sends its notes
from one port to the address of the clerk who is gone. Several repairs bring kube-proxy back;
replacing the client, the clerk or the Service is none.

Rule of use: what the client logs after the repair is the judge.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.api.apps import DaemonSet
from k8slab.api.core import Pod, Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.ch12.stage import UDP, clerks, pod
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, pods_with, seen
from k8slab.classroom.verdicts import Finding, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (8, 20)
NODE = "worker-1"
NOBODY = "nobody answers"
LAST = 3  # notes that have to be answered
WAIT = 20.0  # virtual seconds for a repair to show: the client never rests
SCRIPT = (
    "while true; do r=$(echo hostname | nc -u -w 1 -p 5000 office 99); "
    f'echo "${{r:-{NOBODY}}}"; sleep 1; done'
)
WORLD = (
    clerks("worker-2")
    + pod("client", NODE, SCRIPT)
    + f"""
apiVersion: v1
kind: Service
metadata: {{name: office}}
spec:
  selector: {{app: clerk}}
  ports: [{{name: notes, protocol: UDP, port: 99, targetPort: {UDP}}}]
"""
)
SELECT = '{"spec": {"template": {"spec": {"nodeSelector": {"proxy": "yes"}}}}}'
HISTORY = (  # how it came to be
    "label node control-plane worker-2 proxy=yes",
    f"patch daemonset kube-proxy -n kube-system -p '{SELECT}'",
)


def world(seed: int) -> Cluster:
    """Return the cluster after the clerk was replaced: the client gets no answer."""
    cluster = boot(seed, WORLD)
    terminal = Terminal(cluster)
    for command in HISTORY:
        terminal.run(command)
        cluster.run(15)
    terminal.run("delete pod -l app=clerk")
    cluster.run(15)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl logs client --tail=3",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge, after=WAIT),
        praise="Repaired. kube-proxy wrote the rules of worker-1 anew, and then deleted the flow "
        "that they no longer explain. The client never stopped, and never noticed.",
    )


def _judge(cluster: Cluster, before: Mapping[str, str]) -> Finding:
    return _broken(cluster, before) or _notes(cluster)


def _kept(cluster: Cluster) -> dict[str, str]:
    """Return who must still be there afterwards."""
    view = cluster.view
    client, service = view.get(Pod, "client"), view.get(Service, "office")
    return {
        "client": client.metadata.uid if client is not None else "",
        "office": f"{service.metadata.uid} {service.spec.clusterIP}" if service is not None else "",
    }


def _broken(cluster: Cluster, before: Mapping[str, str]) -> Finding | None:
    after = _kept(cluster)
    if after["client"] != before["client"]:
        return wrong(
            "The client is another one, or gone. It did nothing wrong: the next one on worker-1 "
            "meets the same old rules.",
        )
    if after["office"] != before["office"]:
        return wrong("The Service is another one, or gone. Clients know its address: keep it.")
    if cluster.view.get(DaemonSet, "kube-proxy", "kube-system") is None:
        return wrong("kube-proxy is gone from all nodes: now nobody writes rules.", 2)
    if not pods_with(cluster.view, "app=clerk"):
        return wrong("There is no clerk any more, so nobody can answer.")
    return None


def proxies(cluster: Cluster) -> list[str]:
    """Return the nodes on which kube-proxy runs."""
    found = pods_with(cluster.view, "k8s-app=kube-proxy", "kube-system")
    return [each.spec.nodeName for each in found]


def _notes(cluster: Cluster) -> Finding:
    """Read the client's last notes."""
    log = Terminal(cluster).run(f"logs client --tail={LAST}").stdout.splitlines()
    (clerk, *_) = pods_with(cluster.view, "app=clerk")
    shown = seen(cluster, f"the client's last notes: {', '.join(log)}")
    if log and all(line == clerk.metadata.name for line in log):
        return right("", (shown,))
    if NODE not in proxies(cluster):
        return wrong(
            f"The notes are still lost: the rules and the flows of {NODE} lead to a clerk who is "
            f"gone. Who keeps them up to date, and on which nodes does it run? Not on {NODE}.",
            2,
            (shown,),
        )
    return wrong("kube-proxy is back, and the notes are still not answered.", 0, (shown,))


EXERCISE = Exercise(
    key="12.5",
    title="The notes that nobody answers",
    points=3,
    hints=(
        "`cluster.node('worker-1').shell('conntrack -L -p udp')` shows where the notes go. "
        "Compare with `kubectl get pods -o wide`.",
        "Rules and stale flows are cared for by kube-proxy, on each node for itself. `kubectl get "
        "pods -n kube-system -o wide` says where it runs.",
        "The DaemonSet has a nodeSelector, and worker-1 lacks the label. Give the node the label, "
        "or take the nodeSelector away.",
    ),
    grade=grade,
    world=world,
)
