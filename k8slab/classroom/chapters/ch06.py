"""The questions of chapter 06, Why Services exist.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import choice_of

CHAPTER = Chapter(
    number="06",
    title="Why Services exist",
    warm_up=(
        choice_of(
            "06.replaced",
            "A Deployment wants three Pods and you delete one of them. What comes back?",
            "A new Pod with another name, another UID and usually another address",
            "A Pod is bound to a node once and never comes back. The ReplicaSet notices that one "
            "is missing and creates a new one from its template.",
            {
                "The same Pod, started again": (
                    "The kubelet restarts containers, nobody restarts a deleted Pod. Name, UID and "
                    "address went with it.",
                    14,
                ),
                "The same Pod, moved to another node": (
                    "Pods are never moved: `spec.nodeName` is written once. What appears on the "
                    "other node is another Pod.",
                    14,
                ),
            },
        ),
        choice_of(
            "06.running",
            "`kubectl get pods` shows `0/1   Running`. What does that say?",
            "A process runs, and the Pod has not yet shown that it can serve",
            "`Running` is the phase: at least one container has started. `0/1` counts the ready "
            "ones, and only a ready Pod gets traffic from a Service.",
            {
                "The Pod works; the first column is about replicas": (
                    "READY counts containers of this one Pod. Running and ready are two different "
                    "things, and only the second brings traffic.",
                    9,
                ),
                "The container has crashed": (
                    "A crashed container shows in RESTARTS and as `Error` or `CrashLoopBackOff`. "
                    "This one runs and is not ready.",
                    9,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "06.attached",
            "What makes a Pod a member of a Service?",
            "Its labels match the Service's selector, in the same namespace",
            "A Service selects by labels alone. Who created the Pod, and what for, it never asks.",
            {
                "The Deployment of the same name created it": (
                    "A Service knows nothing of Deployments: any Pod with matching labels is in, "
                    "and a Deployment's Pod whose label you change is out.",
                    6,
                ),
                "The Pod's name begins with the Service's name": (
                    "Names mean nothing to a selector. It is a coincidence of manifests that "
                    "name both after the application.",
                    6,
                ),
                "The Pod opens the port that the Service names": (
                    "The port decides where a connection ends, not who is a member. A member with "
                    "the wrong port refuses its share of the connections.",
                    7,
                ),
            },
        ),
        choice_of(
            "06.vip",
            "Which machine has the ClusterIP of a Service?",
            "None: it is a match in the rules of every node",
            "No interface bears the address and no process listens there. Each node's kernel "
            "rewrites it to a member's address as the packet leaves.",
            {
                "The control-plane node, which passes the packets on": (
                    "No packet of yours sees the control plane. The client's own node rewrites the "
                    "address, so there is nothing in the middle to break.",
                    1,
                ),
                "kube-proxy listens on it, on every node": (
                    "kube-proxy writes rules and is never in the path: stop it, and what it wrote "
                    "goes on working.",
                    2,
                ),
            },
        ),
        choice_of(
            "06.empty",
            "No ready Pod matches a Service's selector. What does a client see?",
            "The name resolves, and the connection is refused",
            "The Service, its name and its address are still there; only the list behind it is "
            "empty. kube-proxy writes a REJECT rule for it.",
            {
                "The name does not resolve": (
                    "DNS answers from the Service, which exists. A name that fails means a "
                    "missing Service or a broken DNS, which is another incident.",
                    18,
                ),
                "The connection hangs until it times out": (
                    "A dead address would hang. An empty Service is known to be empty, so the "
                    "node refuses at once.",
                    18,
                ),
            },
        ),
    ),
)
