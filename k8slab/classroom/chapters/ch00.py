"""The questions of chapter 00, Meet the lab.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import choice_of

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
)
