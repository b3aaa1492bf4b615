"""The questions of chapter 06, Why Services exist.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Choice, Question, choice_of

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
    predictions=(
        choice_of(
            "06.address",
            "The Pod is deleted and replaced. Fifteen seconds later, what happens to a request to "
            "its old address?",
            "Nobody has the address; the request gets no answer",
            "The new Pod has a new name, a new UID and a new address. An address belongs to one "
            "Pod, for its lifetime.",
            {
                "The new Pod has taken the address over": (
                    "A new Pod is another Pod. Its node's network plugin gave it a free address, "
                    "and it did not know the old one.",
                    14,
                ),
                "The Deployment passes the request on to the new Pod": (
                    "A Deployment is a written wish. It has no address and touches no packet.",
                    6,
                ),
                "The Service catches it and passes it on": (
                    "A Service answers for its own address only. Whoever uses a Pod's address "
                    "goes around the Service.",
                    1,
                ),
            },
        ),
        Question(
            key="06.share",
            text="Which share of the requests to the written-down address fails, in percent?",
            kind="number",
            unit="%",
            tolerance=10.0,
            because="The address worked until its Pod was deleted, half a minute in, and never "
            "again. The other client went through all three replacements without noticing one.",
        ),
        choice_of(
            "06.ping",
            "You `ping` the ClusterIP of a Service that works. What comes back?",
            "Nothing: no rule matches a ping, and no machine has the address",
            "The rules match one protocol and one port: TCP, 80. A ping is neither, so nobody "
            "rewrites it, and it goes to an address that does not exist.",
            {
                "An echo from kube-proxy, which holds the address": (
                    "kube-proxy holds no address. It writes rules and goes back to sleep.",
                    2,
                ),
                "An echo from the load balancer behind the address": (
                    "There is no such machine and no such process: the address is a condition in "
                    "the rules of each node.",
                    1,
                ),
                "An echo from one of the three Pods": (
                    "A Pod would answer a ping to its own address. But only TCP to port 80 is "
                    "rewritten to a Pod.",
                    1,
                ),
            },
        ),
        Question(
            key="06.follow",
            text="You change `app=catalog` to `app=quarantine` on a live Pod. What changes?",
            kind="set",
            choices=(
                Choice("Its container is restarted"),
                Choice("It leaves the EndpointSlice of the Service"),
                Choice("It is moved to another node"),
                Choice(
                    "The ReplicaSet no longer owns it", mutant="a ReplicaSet keeps what it made"
                ),
            ),
            actual=(
                "It leaves the EndpointSlice of the Service",
                "The ReplicaSet no longer owns it",
            ),
            because="Two controllers ask labels, each for itself, and both let go of the Pod. The "
            "kubelet does not ask labels: the process never notices.",
        ),
        Question(
            key="06.count",
            text="How many Pods are there ten seconds later (the client not counted)?",
            kind="number",
            unit="Pods",
            because="Three that match, because the ReplicaSet made a new one at once, and the one "
            "in quarantine, which nobody deleted.",
        ),
        choice_of(
            "06.race",
            "You delete a Pod of the Service while requests come without a pause. What is first: "
            "its process is told to end, or the rules stop sending to it?",
            "Neither waits for the other: some requests are refused",
            "The kubelet and the EndpointSlice controller hear of the deletion at the same time. "
            "The process ended before the last proxy had new rules.",
            {
                "The rules: a Pod ends when nobody sends to it any more": (
                    "The kubelet asks nobody whether requests still come. It tells the process to "
                    "end as soon as it hears of the deletion.",
                    17,
                    "the Service lets go first",
                ),
                "The process: the Service notices by the requests that fail": (
                    "A Service notices nothing: it is a list and some rules. The list changes "
                    "because the Pod is marked as ending, whether requests fail or not."
                ),
            },
        ),
        choice_of(
            "06.kept",
            "One `curl` command asks `http://catalog` eight times. How many of the four Pods "
            "answer?",
            "One",
            "All eight requests went over one connection. Its first packet met the dice; all the "
            "others go where that one went.",
            {
                "All four, each twice": (
                    "Nobody counts requests. A rule looks at the first packet of a connection.",
                    5,
                    "each request is balanced",
                ),
                "Two, three or four, as the dice fall": (
                    "So it would be with eight connections. `curl` keeps the first one open.",
                    5,
                    "each request is balanced",
                ),
            },
        ),
        choice_of(
            "06.canary",
            "A second Deployment makes Pods with the label `app=catalog`. Does the Service "
            "`catalog` send them traffic?",
            "Yes",
            "A Service knows labels in its namespace and nothing of Deployments. Four Pods have "
            "the label, and each gets about a quarter.",
            {
                "No: it belongs to the Deployment `catalog`": (
                    "Nothing in a Service names a Deployment. That both have the same name is a "
                    "habit of people.",
                    6,
                    "a Service belongs to a Deployment",
                ),
                "No: their other label, `track`, does not match": (
                    "A selector lists what must be there. Further labels do not disturb it.",
                    6,
                ),
            },
        ),
        choice_of(
            "06.symptom",
            "The name resolves, the connection is refused. What do you suspect?",
            "The Service has no ready endpoint",
            "A refusal that comes at once is an answer of the node: the rule says that the Service "
            "has no endpoints.",
            {
                "CoreDNS is down": (
                    "Then the name would not have resolved: the error would be `Could not resolve "
                    "host`.",
                    18,
                ),
                "The Pods have crashed": (
                    "All Deployments have as many ready Pods as they want. Look again at the "
                    "table above.",
                    9,
                ),
                "kube-proxy has stopped": (
                    "Then the rules would be old, and old rules still lead somewhere. A fresh "
                    "REJECT rule shows that kube-proxy did its work.",
                    2,
                ),
            },
        ),
        choice_of(
            "06.repair",
            "Which selector catches exactly the three Pods of the Deployment `catalog`?",
            "app=catalog, track=stable",
            "Three Pods have both labels, and nobody else has: `app` says what a Pod is, `track` "
            "which of its versions. Either one alone catches a stranger.",
            {
                "app=catalog": "That catches four: the test version has this label too.",
                "tier=backend": (
                    "That catches five: the catalog, its test version, and the images, which are "
                    "no price list."
                ),
                "track=stable": (
                    "That catches five: `stable` is said of the images and of the web front too."
                ),
            },
        ),
    ),
)
