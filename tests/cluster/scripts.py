"""Random sessions: what a learner might type, in any order.

`python -m tests.cluster.scripts 0 1 2` plays the sessions of these numbers, each in a cluster of
its own, and prints the digest of each run.

Rule of use: a session is a function of its number alone.

Upstream: none
"""

from __future__ import annotations

import random
import sys
from contextlib import suppress

from k8slab import Cluster
from tests.cluster.conftest import WEB

LENGTH = 8  # acts of a session
COMMANDS = (
    "scale deployment web --replicas={n}",
    "delete pod -l app=web --wait=false",
    "set image deployment/web web=nginx:1.2{n}",
    "rollout undo deployment/web",
    "delete deployment web",
    "create deployment other --image=httpd:2.4 --replicas={n}",
    "cordon {node}",
    "drain {node} --ignore-daemonsets --force --timeout=40s",
    "uncordon {node}",
    "taint node {node} key=value:NoExecute --overwrite",
    "label pods --all colour=c{n} --overwrite",
    "get pods -A -o wide",
    "delete service web",
    "run once{n} --image=busybox:1.37 --restart=Never -- sh -c 'exit {n}'",
    "run loop{n} --image=busybox:1.37 -- sh -c 'exit 1'",
    "exec client -- wget -qO- -T 2 web",
    "get nonsense",
)
COMPONENTS = (
    *("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"),
    *("kube-proxy", "kindnet-cni", "coredns", "kubelet/worker-1"),
)


def play(number: int) -> Cluster:
    """Return the cluster of the session, at its end."""
    chance = random.Random(number)
    cluster = Cluster(workers=2, seed=number)
    cluster.apply(WEB)
    cluster.run(chance.uniform(1, 8))
    for _ in range(LENGTH):
        # A request from a Pod that is not there, for example; sessions go on.
        with suppress(ValueError, LookupError, TimeoutError):
            one_act(cluster, chance)
        cluster.run(chance.choice((0, 0.01, 1, 12, 40)))
    return cluster


def one_act(cluster: Cluster, chance: random.Random) -> None:
    node = f"worker-{chance.randint(1, 2)}"
    what = chance.randrange(12)
    if what < 5:
        cluster.kubectl(chance.choice(COMMANDS).format(n=chance.randint(0, 5), node=node))
    elif what < 7:
        cluster.request("pod/client", chance.choice(("http://web", "http://ghost", "10.96.0.10")))
    elif what == 7:
        cluster.kill(chance.choice(COMPONENTS))
    elif what == 8:
        component = chance.choice(("kube-scheduler", "coredns", "kube-proxy"))
        chance.choice((cluster.stop, cluster.start))(component)
    elif what == 9:
        chance.choice((cluster.partition, cluster.heal))(node)
    elif what == 10:
        chance.choice((cluster.break_node, cluster.repair_node))(node)
    else:
        chance.choice((cluster.break_registry, cluster.repair_registry))("docker.io")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        run = play(int(argument))
        print(argument, run.sim.events, run.trace.digest())
