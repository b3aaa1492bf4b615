"""The twenty misunderstandings that the course cures: what people believe, and what is so.

`Verdict.misconception` and the choices of questions name them by number.

Rule of use: data only; a number never changes its meaning.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Misunderstanding(NamedTuple):
    """One of them."""

    believed: str
    so: str


_M = Misunderstanding
MISUNDERSTANDINGS: Mapping[int, Misunderstanding] = {
    1: _M(
        "A ClusterIP is a machine or a process, and answers a ping.",
        "It is a match in the rules of every node, for one port and protocol.",
    ),
    2: _M("Packets flow through kube-proxy.", "kube-proxy writes rules; the kernel forwards."),
    3: _M(
        "Services take their Pods in turn.",
        "In iptables mode each connection is given to a Pod at random.",
    ),
    4: _M(
        "Probabilities of 0.33, 0.5 and 1 are unfair.",
        "Rules are tried in order, so that each of n endpoints gets one n-th.",
    ),
    5: _M(
        "Load is balanced for each request.",
        "It is balanced for each connection; one that is kept open stays with its Pod.",
    ),
    6: _M(
        "A Service is attached to a Deployment or ReplicaSet.",
        "Only labels count, those of Pods in its own namespace.",
    ),
    7: _M(
        "port, targetPort and containerPort are one, and containerPort opens the port.",
        "port is the Service's, targetPort is where the process listens, containerPort tells "
        "readers.",
    ),
    8: _M(
        "What runs in a container can be reached.",
        "Bound to 127.0.0.1 it is reached from its own Pod only.",
    ),
    9: _M(
        "Running means ready, and STATUS is the phase.",
        "Phase, conditions, container states and the column STATUS are four things.",
    ),
    10: _M(
        "A readiness probe that fails restarts the container.",
        "It takes the Pod out of its Services; the liveness probe restarts.",
    ),
    11: _M(
        "CrashLoopBackOff is the error.",
        "It is the wait between restarts: 10 s, doubled up to 300 s.",
    ),
    12: _M(
        "ImagePullBackOff means that the app has crashed.",
        "Nothing ever ran: the image is not there.",
    ),
    13: _M(
        "A Pod is Pending because the cluster is busy.",
        "The scheduler adds up requests, node by node, and never looks at usage.",
    ),
    14: _M(
        "Pods are moved to another node.",
        "A Pod is bound once; a controller makes a new one.",
    ),
    15: _M(
        "A ReplicaSet owns what it created, and selectors that overlap are harmless.",
        "It adopts matching Pods that nobody owns; who owns a Pod is what counts.",
    ),
    16: _M(
        "The Pods of a dead node are replaced at once.",
        "A grace period passes, then a toleration of 300 s.",
    ),
    17: _M(
        "A Pod leaves its Service before its process stops.",
        "Both begin together, and race.",
    ),
    18: _M(
        "Without endpoints the name is not found.",
        "The name is found, and the connection is refused by a rule.",
    ),
    19: _M(
        "Names are known everywhere.",
        "A short name is completed with the search list of the Pod's own namespace.",
    ),
    20: _M(
        "Headless and ExternalName Services still pass traffic on.",
        "One answers with addresses of Pods, the other with another name.",
    ),
}
