"""The questions of chapter 03, From manifest to running.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Choice, Question, choice_of

SEND = "You send the manifest"
KEEP = "The API server checks it, etcd keeps it"
PICK = "The scheduler picks a node"
BIND = "The scheduler binds the Pod to it"
HEAR = "The kubelet of that node hears of its Pod"
DO = "The runtime does what the kubelet orders"
REPORT = "The kubelet reports"

CHAPTER = Chapter(
    number="03",
    title="From manifest to running",
    warm_up=(
        choice_of(
            "03.through",
            "How does one part of the control plane ask another for something?",
            "It writes an object at the API server, and the other watches for such objects",
            "The parts meet only at the API server. Whoever waits for a kind of object hears of "
            "each write to it.",
            {
                "It calls the other one's address": (
                    "No part knows where the others are. All of them know the API server, and "
                    "nothing else."
                ),
                "It writes into etcd, where the other one reads": (
                    "Only the API server talks to etcd. Everybody else talks to the API server."
                ),
            },
        ),
        choice_of(
            "03.spec",
            "An object has a `spec` and a `status`. Who writes which?",
            "`spec` is what is wanted; `status` is reported by whoever looks after the object",
            "You and controllers write the wish. The part that carries it out writes what it sees.",
            {
                "You write both": (
                    "What you write into `status` with `kubectl apply` is thrown away. It is a "
                    "report, and comes from the part that does the work."
                ),
                "The API server writes `status` when it has done what `spec` says": (
                    "The API server does nothing with an object but check it and keep it."
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "03.update",
            '"The scheduler starts the Pod on the best node." What does it really do?',
            "It posts a Binding, which sets `spec.nodeName`, and is done",
            "The scheduler has never spoken to a node. That node's kubelet hears of the Pod by its "
            "own watch, a moment later.",
            {
                "It sends the Pod to that node's kubelet": (
                    "It does not know the kubelet's address. It writes one field, at the API "
                    "server, and looks for the next Pod."
                ),
                "It sets the Pod's status to Scheduled": (
                    "There is a condition of that name, which the API server sets with the "
                    "binding. What moves the Pod on is `spec.nodeName`."
                ),
            },
        ),
        choice_of(
            "03.pending",
            "A Pod is `Pending`. What do you know?",
            "It has not been reported running: it may lack a node, a volume, a network or an image",
            "The phase says only that no container has been reported. `spec.nodeName` and the "
            "Events say at which step it waits.",
            {
                "No node has room for it": (
                    "That is one reason of many. If it has a `nodeName`, a node was found.",
                    13,
                ),
                "Its image is being pulled": (
                    "Perhaps. But a Pod without a node is Pending too, and nobody pulls anything "
                    "for it.",
                    12,
                ),
            },
        ),
        choice_of(
            "03.docker",
            "What starts the container, on a node of today?",
            "A container runtime such as containerd, on the kubelet's order",
            "The kubelet speaks to any runtime that understands its interface, the CRI. Images "
            "that Docker built run in all of them.",
            {
                "Docker, which the kubelet calls": (
                    "The kubelet's own link to Docker went away with version 1.24. Images are the "
                    "same as before."
                ),
                "The kubelet itself": (
                    "The kubelet never touches a container: it gives orders to a runtime, and asks "
                    "it how things are."
                ),
            },
        ),
    ),
    predictions=(
        Question(
            key="03.order",
            text="Seven steps lead from a manifest to a running Pod. Put them in order.",
            kind="order",
            choices=tuple(Choice(text) for text in (HEAR, DO, SEND, BIND, REPORT, PICK, KEEP)),
            actual=(SEND, KEEP, PICK, BIND, HEAR, DO, REPORT),
            because="Each step is set off by what the one before it wrote: the object, then its "
            "node's name, then what became of it.",
        ),
        choice_of(
            "03.slowest",
            "From `kubectl apply` to Running takes about three seconds here. Where does most of "
            "that time go?",
            "The runtime: network, image, container",
            "Everything that is writing and watching takes some milliseconds. Only the runtime has "
            "something heavy to move: 72 million bytes of image.",
            {
                "The scheduler, which compares all nodes": (
                    "It compared three nodes in a few milliseconds. Thousands of nodes take it "
                    "longer, and still less than a pull."
                ),
                "The API server and etcd, which store every object": (
                    "A write takes a few milliseconds, and there are about ten of them on the way."
                ),
                "The controllers, which look every few seconds": (
                    "They do not look every few seconds: a watch tells them at once."
                ),
            },
        ),
        choice_of(
            "03.second",
            "You ask for a second Pod of the same image. It lands on a node that already runs one. "
            "How long does it take now?",
            "Less than half as long: the image is on the node",
            "Nothing else has become faster. The node keeps what it has pulled, and only asks for "
            "images that it lacks.",
            {
                "As long as before": (
                    "The steps are the same, one of them is not: there is nothing to pull.",
                    0,
                ),
                "No time at all: the container is there already": (
                    "Another Pod is another sandbox, another address, another process. Only the "
                    "image is shared."
                ),
            },
        ),
        Question(
            key="03.writes",
            text="Which of these does the scheduler write into the Pod?",
            kind="set",
            choices=(
                Choice("spec.nodeName"),
                Choice("status.phase"),
                Choice("status.podIP"),
                Choice("status.startTime"),
            ),
            actual=("spec.nodeName",),
            because="One field, by way of a Binding. All of `status` here is the kubelet's.",
        ),
        choice_of(
            "03.stopped",
            "The scheduler is stopped, and you create a Pod. Which is the last step that happens?",
            f"2: {KEEP}",
            "The object is stored, and it has no node. Nobody else writes that field, so every "
            "kubelet goes on waiting for its own name.",
            {
                f"1: {SEND}": "The API server needs no scheduler to take an object and store it.",
                f"4: {BIND}": "Picking and binding are the scheduler's: neither happens.",
                f"7: {REPORT}": (
                    "Somebody has to choose a node. Kubelets take no Pods that nobody gave them."
                ),
            },
        ),
        choice_of(
            "03.named",
            "The scheduler is still stopped. You create a Pod whose manifest says "
            "`nodeName: worker-1`. What happens?",
            "It runs: the kubelet of worker-1 finds its own name in it",
            "A kubelet does not ask who wrote the name. Steps 3 and 4 have nothing left to do.",
            {
                "It waits like the other one": (
                    "The other one waits for a name. This one has it already."
                ),
                "It is refused: only the scheduler may write `nodeName`": (
                    "On an existing Pod nobody may write it but by a Binding. In a new Pod it is a "
                    "field like any other."
                ),
            },
        ),
        Question(
            key="03.stuck",
            text="One Pod waits for a node, one for a volume, one for an image. Which columns of "
            "`kubectl get pods -o wide` tell the first from the other two?",
            kind="set",
            choices=(Choice("STATUS"), Choice("RESTARTS"), Choice("NODE"), Choice("READY")),
            actual=("STATUS", "NODE"),
            because="Without a node the STATUS is plain `Pending` and NODE is `<none>`. The others "
            "have a node, and their STATUS says what its kubelet is at.",
        ),
    ),
)
