"""The questions of chapter 13, When things die.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="13",
    title="When things die: nodes, control plane, graceful endings",
    warm_up=(
        choice_of(
            "13.again",
            "A Pod of a ReplicaSet is deleted, and there are three again. What is the third?",
            "A new Pod, with a name, a UID and an address of its own",
            "A Pod is bound to a node once. The controller counts, and makes another one.",
            {
                "The same Pod, on another node": (
                    "Pods do not move. What stands there bears another UID.",
                    14,
                ),
                "The same Pod, started again in its place": (
                    "A kubelet starts containers again, never a Pod that was deleted.",
                    14,
                ),
            },
        ),
        choice_of(
            "13.row",
            "A Pod is deleted and still answers. What does its row in the EndpointSlice say?",
            "Not ready, serving, terminating",
            "The row stays until the Pod has gone; ready is out at once.",
            {
                "Nothing: the row is gone": ("It goes when the Pod goes.", 17),
                "Ready, until its process has stopped": (
                    "Then it would get new connections to the very last.",
                    17,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "13.minutes",
            "A node loses its power at noon. When does a Deployment with default tolerations get "
            "new Pods for those that were there?",
            "At about six minutes past",
            "Some 50 s of silence make the node unknown, then its Pods are tolerated for 300 s.",
            {
                "At once": (
                    "Nobody can tell a dead node from a silent one. The cluster waits twice.",
                    16,
                ),
                "After 50 seconds": (
                    "That is when the node is said to be unknown. Its Pods have 300 s more.",
                    16,
                ),
                "Never, until somebody deletes the node": (
                    "Taint eviction deletes them after their toleration, and the ReplicaSet makes "
                    "others. Only the old ones stay, as Terminating.",
                    16,
                ),
            },
        ),
        choice_of(
            "13.forgets",
            "etcd is down for ten minutes in the middle of a scale-up. What is lost?",
            "Nothing: what was written is done when it is back, and until then all that runs goes "
            "on",
            "Nobody can read or change anything. Containers and rules need neither.",
            {
                "The scale-up: it has to be asked for again": (
                    "The new number was answered, so it is on etcd's disk. The controllers read "
                    "it when they can."
                ),
                "The Pods: nobody knows of them any more": (
                    "Kubelets know their Pods, and the objects are on the disk."
                ),
            },
        ),
        choice_of(
            "13.seamless",
            "Does a Service give its clients uninterrupted connections while Pods are replaced?",
            "Not by itself: a Pod is told to end while rules still lead to it",
            "Both begin with the deletion, and neither waits for the other. A preStop sleep makes "
            "the Pod wait for the rules.",
            {
                "Yes: a Pod is told to end when no rule leads to it any more": (
                    "Nobody looks whether the rules have gone. Each road is walked alone.",
                    17,
                ),
                "Yes, if it has a readiness probe": (
                    "The probe is about Pods that arrive. Those that leave race with the rules, "
                    "probe or not.",
                    17,
                ),
            },
        ),
    ),
    predictions=(
        Question(
            key="13.minute",
            text="You pull the plug of a worker. After how many seconds are its Pods deleted, so "
            "that others are made in their place?",
            kind="number",
            unit="s",
            tolerance=30.0,
            because="The node's last heartbeat is up to 10 s old. After 50 s of silence it is "
            "unknown and tainted, and its Pods tolerate that for 300 s.",
        ),
        choice_of(
            "13.old",
            "Ten minutes after the plug was pulled, what does `kubectl get pods` say of a Pod that "
            "was on the dead node?",
            "Terminating",
            "It was deleted, and only its kubelet can confirm that its containers have ended. So "
            "it stays.",
            {
                "Nothing: it is gone": (
                    "The object goes when the kubelet confirms. This one cannot.",
                    14,
                ),
                "Failed": ("Nobody saw its containers fail.", 16),
                "Running, on another worker": ("Pods do not move. Others were made.", 14),
            },
        ),
        choice_of(
            "13.fog",
            "Now the node is not dead but cut off from the network, and ten minutes pass. What do "
            "its containers do?",
            "They go on running, though the API says Terminating",
            "Their kubelet has heard of nothing. This is why a deleted Pod is not believed to be "
            "gone.",
            {
                "They were stopped when the Pods were deleted": (
                    "Somebody has to tell the kubelet, and nobody reaches it.",
                    16,
                ),
                "The kubelet stops them when it cannot reach the API server": (
                    "It keeps running what it was last told.",
                    16,
                ),
            },
        ),
        choice_of(
            "13.drain",
            "Three ferries, a budget of `minAvailable: 3`, and you drain a worker that has one of "
            "them. What happens?",
            "The eviction is refused, again and again",
            "An eviction is a polite deletion: the API server asks the budget first. None may go "
            "before there are four.",
            {
                "It is evicted, and another one is made afterwards": (
                    "That is a deletion. An eviction asks the budget before, for each Pod."
                ),
                "Another one is started first, then it is evicted": (
                    "A ReplicaSet wants three and has three. Nobody makes a fourth.",
                    14,
                ),
            },
        ),
        Question(
            key="13.wait",
            text="A node needs 4 s to write its rules. One ferry is deleted, and it waits 0, 1, 3 "
            "or 5 s before it is told to end. Which is the shortest wait that loses no request?",
            kind="number",
            unit="s",
            because="Both begin with the deletion. The ferry has to outlast the slowest writer of "
            "rules, and nobody tells it when that is.",
        ),
        choice_of(
            "13.etcd",
            "A scale-up from three to six has been written, and etcd stops in the same moment. Who "
            "is answered in the next minute?",
            "Everybody who calls the Service, and nobody who calls the API server",
            "The rules are in the kernels of the nodes, and the containers run. The API server has "
            "nothing to answer from.",
            {
                "Nobody": ("The road of a request does not touch the control plane."),
                "Everybody: the API server has a cache": (
                    "A read has to be as new as the last write, and only etcd knows how new that "
                    "is."
                ),
            },
        ),
    ),
)
