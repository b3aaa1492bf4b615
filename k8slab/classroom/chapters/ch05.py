"""The questions of chapter 05, Where Pods land: filter, score, bind.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="05",
    title="Where Pods land: filter, score, bind",
    warm_up=(
        choice_of(
            "05.writes",
            "What does the scheduler write into a Pod?",
            "The name of a node, once",
            "It posts a Binding, which sets `spec.nodeName`. The kubelet of that node does the "
            "rest.",
            {
                "Its phase: Running": (
                    "The phase is the kubelet's report. The scheduler has never seen a container."
                ),
                "Nothing: it tells the node": (
                    "It does not speak to nodes. Whoever carries that name hears of the Pod by its "
                    "own watch."
                ),
            },
        ),
        choice_of(
            "05.nobody",
            "A Pod has no node. Which part of the cluster is waiting for what?",
            "The kubelets: each for a Pod with its own name in `spec.nodeName`",
            "No kubelet takes a Pod that nobody gave it. Until the scheduler writes a name, "
            "nothing happens.",
            {
                "The scheduler: for a kubelet that asks for work": (
                    "Kubelets never ask. The scheduler looks at Pods without a node, and chooses "
                    "among all nodes."
                ),
                "The API server: for a node with a free CPU": (
                    "The API server keeps objects and hands them out. It chooses nothing."
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "05.graph",
            "The graphs show nodes at 10 % CPU, and a Pod waits with `Insufficient cpu`. Why?",
            "Other Pods have asked for the CPU, whether they use it or not",
            "The scheduler adds up requests, node by node. A request is a promise, and it keeps "
            "promises.",
            {
                "The scheduler's figures are old; it will see soon": (
                    "It does not look at usage at all, neither old nor new.",
                    13,
                ),
                "The cluster is too busy": (
                    "Nobody is busy. What is scarce is room that has not been promised.",
                    13,
                ),
            },
        ),
        choice_of(
            "05.emptier",
            "A Pod runs on a crowded node, and a new, empty node joins. What does the scheduler "
            "do with that Pod?",
            "Nothing: it has a node already",
            "A Pod is bound once. What can be moved is its successor, if a controller makes one.",
            {
                "It moves the Pod, since the score is better there": (
                    "Scores are computed for Pods without a node. No Pod is ever moved.",
                    14,
                ),
                "It moves the Pod when it is restarted": (
                    "A restart is the kubelet's, on the same node. The scheduler hears nothing of "
                    "it.",
                    14,
                ),
            },
        ),
        choice_of(
            "05.event",
            "`0/5 nodes are available: 1 node(s) had untolerated taint(s), 4 Insufficient cpu.` "
            "Which of these gets the Pod a node?",
            "Room for the whole Pod on one of the four",
            "Each node is judged alone. One that lacks nothing is enough, and four that lack "
            "a little are not.",
            {
                "A little room on each of the four": (
                    "What is free on several nodes does not add up: a Pod runs on one.",
                    13,
                ),
                "Creating the Pod again": (
                    "A new Pod asks for the same. The old one is looked at again by itself, as "
                    "soon as something has changed that may help."
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "05.usage",
            "`grain` asks for 3 CPUs, sits on a worker of 4, and uses none of them. Now `salt` "
            "comes and asks for 2. May it land on the same worker?",
            "No: 3 and 2 are more than 4",
            "The scheduler adds up what was asked for. That grain is idle appears in none of its "
            "sums.",
            {
                "Yes: all 4 CPUs are idle": (
                    "Idle they are. They are promised all the same: grain may begin to work at any "
                    "moment.",
                    13,
                ),
                "Yes, and grain moves away when it needs its CPUs": (
                    "Nobody ever moves a running Pod. What does not fit must not land there.",
                    14,
                ),
            },
        ),
        choice_of(
            "05.next",
            "One worker has `grain`, one has `salt`, the third has nothing. Three small Pods come, "
            "one after the other; each asks for half a CPU. Where do they land?",
            "All three on the third worker",
            "The largest share that is left scores best, and after each Pod it is the third "
            "worker's again.",
            {
                "One on each worker, in turn": (
                    "There is no turn. Each Pod is compared anew on all nodes, and the third is "
                    "the emptiest each time."
                ),
                "Where salt is, until that worker is full": (
                    "Filling up is a rule that you can configure, or write. The default leaves "
                    "room on every node."
                ),
            },
        ),
        choice_of(
            "05.moved",
            "`grain` is deleted, so that its worker is empty now. Four Pods are on the others. "
            "What happens to them in the next minutes?",
            "Nothing: they stay where they are",
            "The scheduler is asked about Pods that have no node. These have one.",
            {
                "One of them moves to the empty worker": (
                    "A Pod is bound once, for as long as it exists.",
                    14,
                ),
                "They are spread anew over all three": (
                    "Nobody spreads what runs. Only Pods that are made later will see the empty "
                    "worker.",
                    14,
                ),
            },
        ),
        Question(
            key="05.score",
            text="A worker of 4 CPUs has 2 of them requested. A Pod asks for 1 more. For its CPU, "
            "the worker's score is the percentage that would be left. What is it?",
            kind="number",
            actual=25.0,
            because="3 of 4 would be requested, so a quarter is left: 25. Memory is judged alike, "
            "and the two are averaged.",
        ),
        choice_of(
            "05.toleration",
            "The taint of salt's worker keeps other Pods away. `fish` tolerates it, and that "
            "worker is the fullest. Where does fish land?",
            "On the emptiest worker that fits, which is another one",
            "A toleration takes a filter away. It gives no points.",
            {
                "On that worker: so the toleration says": (
                    "It says that fish may. To say that it must takes a nodeSelector or an "
                    "affinity."
                ),
                "On none of them: a taint is a taint": (
                    "It is a taint for those who do not tolerate it."
                ),
            },
        ),
        choice_of(
            "05.label",
            "`piano` waits for a node with the label deck=dry. You put the label on a node. What "
            "has to be done with piano?",
            "Nothing: it is tried again by itself",
            "The scheduler knows which filter refused the Pod, and which changes may help. A new "
            "label on a node is one.",
            {
                "It must be deleted and created again": (
                    "It would stand in the same queue. The old one is there already."
                ),
                "The scheduler must be restarted": (
                    "It watches nodes as it watches Pods: it hears of the label at once."
                ),
            },
        ),
        choice_of(
            "05.half",
            "Each of four workers has 4 CPUs, and 1.8 of them are requested: 45 %. A Pod asks for "
            "2.5. Does it get a node?",
            "No: 8.8 CPUs are free, and at most 2.2 on one worker",
            "Each node is judged alone. More than half of the cluster is free, in pieces that are "
            "too small.",
            {
                "Yes: more than half of the cluster is free": (
                    "The sum over all nodes is asked by nobody. A Pod cannot be cut in pieces.",
                    13,
                ),
                "Yes: the scheduler moves Pods to make room": (
                    "It moves none. It may *delete* Pods of lower priority (preemption); here all "
                    "are equal.",
                    14,
                ),
            },
        ),
    ),
)
