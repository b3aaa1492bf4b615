"""The questions of chapter 00, Meet the lab.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

DEPLOYMENT = "deployment-controller"
REPLICA_SET = "replicaset-controller"
SCHEDULER, KUBELET, CONTAINERD = "kube-scheduler", "kubelet", "containerd"

CHAPTER = Chapter(
    number="00",
    title="Meet the lab",
    warm_up=(
        choice_of(
            "00.container",
            "What is a container?",
            "A process (or a few) that the kernel shows a world of its own",
            "Namespaces hide what belongs to others, cgroups limit what it may use, and an image "
            "brings its files. The kernel is the node's.",
            {
                "A small virtual machine with its own kernel": (
                    "A virtual machine brings its own kernel. A container borrows the kernel of "
                    "the machine that it runs on, which is why it starts in milliseconds."
                ),
                "A file that holds a program and its libraries": (
                    "That is the image: it lies on a disk and does nothing. A container is what "
                    "runs when an image is started."
                ),
            },
        ),
        choice_of(
            "00.manifest",
            "You apply a manifest with `replicas: 3`. What have you told Kubernetes?",
            "How things shall be; making them so is the cluster's work",
            "A manifest states what is wanted. Control loops compare it with what is there, again "
            "and again, and act on the difference.",
            {
                "To run three start commands, once, now": (
                    "Nothing is started once and forgotten: if a Pod is lost next week, another "
                    "one takes its place, because three are still wanted."
                ),
                "How many Pods there are at this moment": (
                    "That is the `status`, which Kubernetes writes. You write the `spec`: what "
                    "there shall be."
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "00.seed",
            "You run the same notebook twice with `seed=7`. What differs?",
            "Nothing: names, addresses, times and order are the same",
            "The lab has one clock and one source of chance. The same seed and the same commands "
            "give the same bytes, so a surprise can be replayed and studied.",
            {
                "Only the Pods' random names": (
                    "Their letters come from the seed as well: even the names are the same."
                ),
                "Everything that happens at the same time may change its order": (
                    "In a real cluster, yes. Here, what falls on the same instant happens in the "
                    "order in which it was planned, which is part of the replay."
                ),
            },
        ),
        choice_of(
            "00.time",
            "A Pod waits 300 virtual seconds before its next restart. How long do you wait?",
            "A moment: the clock jumps from one event to the next",
            "Virtual time passes only in `run`, `step`, `run_until` and in commands that wait. "
            "Between two events there is nothing to compute.",
            {
                "300 seconds": (
                    "No program sleeps here. The clock is a number that jumps to the next thing "
                    "that happens."
                ),
                "It depends on how busy the computer is": (
                    "Your computer's speed decides how long the computation takes, and never what "
                    "the cluster's clock says."
                ),
            },
        ),
        choice_of(
            "00.meet",
            "The scheduler has chosen a node for a Pod. How does the node's kubelet learn of it?",
            "It watches the API server, where the scheduler has written its choice",
            "Components never talk to one another. Each one reads and writes objects at the API "
            "server, and all others see what has changed.",
            {
                "The scheduler calls the kubelet": (
                    "They do not know each other. The scheduler posts a Binding to the API server, "
                    "and whoever watches that Pod is told."
                ),
                "The kubelet asks the scheduler from time to time": (
                    "Nobody asks the scheduler anything. A kubelet has one partner, the API "
                    "server, which tells it of every change of its own Pods."
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "00.next1",
            "You have applied a Deployment. Who is the next to write an object?",
            DEPLOYMENT,
            "It watches Deployments. It does not make Pods: it writes a ReplicaSet, a smaller "
            "wish for somebody else to read.",
            {
                REPLICA_SET: (
                    "It watches ReplicaSets, and there is none yet: it is the second runner."
                ),
                SCHEDULER: "It waits for Pods without a node, and there is no Pod yet.",
                KUBELET: "It cares for Pods that are bound to its node, and there is no Pod yet.",
                CONTAINERD: "It starts what its kubelet asks for, and no kubelet has work yet.",
            },
        ),
        choice_of(
            "00.next2",
            "A ReplicaSet exists. Who writes the Pod?",
            REPLICA_SET,
            "It counts the Pods that match, finds none where one is wanted, and creates the "
            "difference.",
            {
                DEPLOYMENT: (
                    "It has done its part. It chooses which ReplicaSets there shall be, and leaves "
                    "the counting of Pods to them."
                ),
                SCHEDULER: "It places Pods that exist. It never creates one.",
                KUBELET: (
                    "It runs Pods that are written down for its node. (Its own static Pods are the "
                    "exception, and you will meet them.)"
                ),
                CONTAINERD: "It knows containers. It has never heard of ReplicaSets.",
            },
        ),
        choice_of(
            "00.next3",
            "A Pod exists and has no node. Who acts on it next?",
            SCHEDULER,
            "It looks at every node, drops those on which the Pod does not fit, scores the rest, "
            "and picks one of the best.",
            {
                DEPLOYMENT: (
                    "It will hear of the Pod only through the ReplicaSet's status, and then all it "
                    "does is count."
                ),
                REPLICA_SET: "It wanted one Pod and has one. Where the Pod runs is not its affair.",
                KUBELET: "Which one? Without a node, the Pod belongs to no kubelet.",
                CONTAINERD: "It acts on orders of its kubelet, and no kubelet is in charge yet.",
            },
        ),
        choice_of(
            "00.next4",
            "The Pod is bound to a node. Who acts on it next?",
            KUBELET,
            "The kubelet of that node watches for Pods with its node's name. It says at once that "
            "it has seen the Pod, and starts to work.",
            {
                DEPLOYMENT: "Its wish was one Pod; whether that one is ready, it will hear later.",
                REPLICA_SET: "One Pod is wanted and one is there: nothing to do.",
                SCHEDULER: "It has posted the binding. From now on the Pod is not its business.",
                CONTAINERD: (
                    "Almost. It runs on that node too, but it does not watch the API server: "
                    "somebody has to tell it."
                ),
            },
        ),
        choice_of(
            "00.next5",
            "The kubelet has taken the Pod. Who does something for it next?",
            CONTAINERD,
            "The kubelet asks the container runtime for a sandbox: a network of the Pod's own, "
            "with an address. Only then come the image and the container.",
            {
                DEPLOYMENT: "Its work is far from here, and done for now.",
                REPLICA_SET: "It counts Pods and never touches one that runs.",
                SCHEDULER: "It chose the node and has forgotten about the Pod.",
                KUBELET: "It has just acted. It does not start containers with its own hands.",
            },
        ),
        Question(
            key="00.seconds",
            text="How many virtual seconds from your `apply` until the Pod is ready?",
            kind="number",
            unit="seconds",
            tolerance=0.7,
            because="Choosing a node took milliseconds. The network of the Pod took a third of a "
            "second, the image half a second, the container a quarter; and the kubelet looks for "
            "news of containers once a second, so it noticed a little late.",
        ),
        choice_of(
            "00.tape",
            "Which look at the five tapes is sure to show the odd one?",
            "The digest of the trace",
            "A digest changes if a single record changes, and another seed changes at least the "
            "random letters in names.",
            {
                "The number of Running Pods": (
                    "The seed does not decide whether the cluster works: three Pods were wanted, "
                    "and three run on every tape."
                ),
                "The virtual time at the end": (
                    "Each tape ran for the same time, and what is random here does not change how "
                    "long things take."
                ),
                "The list of nodes": (
                    "Names of nodes are given, not drawn. They are equal on all tapes."
                ),
            },
        ),
    ),
)
