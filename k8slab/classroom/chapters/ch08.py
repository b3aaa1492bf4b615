"""The questions of chapter 08, How ReplicaSets drive Pod creation and scheduling.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="08",
    title="How ReplicaSets drive Pod creation and scheduling",
    warm_up=(
        choice_of(
            "08.deleted",
            "You delete one of three Pods of a Deployment. Who makes the new one?",
            "The ReplicaSet controller, because one is missing",
            "It watches the Pods that its ReplicaSet owns. Two are left where three are wanted, so "
            "it creates one from the template.",
            {
                "The kubelet of the node on which the Pod ran": (
                    "A kubelet restarts containers of Pods that exist. It never creates a Pod in "
                    "place of a deleted one.",
                    14,
                ),
                "The scheduler, which moves the Pod to another node": (
                    "The scheduler places Pods that exist and have no node. It creates none and "
                    "moves none.",
                    14,
                ),
            },
        ),
        choice_of(
            "08.selector",
            "Whom does the selector `app: web` catch?",
            "Every Pod of the namespace that has this label, whoever made it",
            "A selector is a question to labels. Who made a Pod, and what it is called, it cannot "
            "ask.",
            {
                "The Pods whose names begin with `web`": (
                    "Names mean nothing to a selector. That both say `web` is a habit of people.",
                    6,
                ),
                "The Pods that came from the same manifest": (
                    "Nothing in a Pod says from which file it came. Labels are all that counts.",
                    6,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "08.counts",
            "Which Pods does a ReplicaSet count as its replicas?",
            "Those that it owns, match its selector, and neither ended nor are being deleted",
            "The owner reference says whose a Pod is, the selector whether it still fits. A Pod on "
            "its way out is no replica, so its successor comes at once.",
            {
                "All Pods that match its selector": (
                    "Then two ReplicaSets with one selector would fight for ever. A Pod of "
                    "another controller is left alone, whatever its labels.",
                    15,
                ),
                "Those that it created itself": (
                    "It adopts matching Pods that nobody owns, and lets go of its own that no "
                    "longer match.",
                    15,
                ),
                "Those that are Running and ready": (
                    "Readiness is counted in the status. A replica may be Pending: it was made, "
                    "and that is all that the number is about.",
                    9,
                ),
            },
        ),
        choice_of(
            "08.first",
            "Three ready Pods, and one that is Pending without a node. One replica less: who goes?",
            "The Pending one",
            "It serves nobody, so nobody misses it. Unassigned comes first in the order, before "
            "cost, node and age are even looked at.",
            {
                "The oldest": (
                    "Age is looked at last, and then the younger one goes: the old one has "
                    "shown that it lives."
                ),
                "The youngest": (
                    "Only if everything before it is equal: node, phase, readiness, cost, "
                    "neighbours, time of readiness, restarts."
                ),
                "Any of them, at random": (
                    "There is an order, and it begins with the Pods that are worth least."
                ),
            },
        ),
        choice_of(
            "08.bound",
            "Who writes `spec.nodeName` of a ReplicaSet's new Pod?",
            "The scheduler asks for it, with a Binding",
            "The ReplicaSet controller creates the Pod without a node. The scheduler sees it, "
            "chooses, and posts a Binding.",
            {
                "The kubelet that takes the Pod": (
                    "A kubelet takes what already has its name on it. Kubelets do not choose."
                ),
                "The ReplicaSet controller, from the template": (
                    "It copies the template, which names no node. Where a Pod runs is none of "
                    "its business."
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "08.burst",
            "A ReplicaSet wants eight Pods and has none. How does its controller create them?",
            "In batches: 1, 2, 4, and the last 1",
            "If the first one is refused, by a quota for example, only one call is wasted. Each "
            "batch that succeeds doubles the next: a slow start.",
            {
                "All eight at once": (
                    "Eight calls would be refused if one is. It tries one first, and grows bolder "
                    "with each batch that succeeds."
                ),
                "One after the other, each when the one before is ready": (
                    "A StatefulSet does so by default. A ReplicaSet does not wait for readiness: "
                    "its Pods are alike."
                ),
                "In batches of two": "No batch but the last repeats: each is twice the one before.",
            },
        ),
        choice_of(
            "08.node",
            "At the moment of its creation, what stands in the first usher's `spec.nodeName`?",
            "Nothing",
            "The ReplicaSet controller knows no nodes. An empty nodeName is how a Pod says: I wait "
            "for the scheduler.",
            {
                "The node with the most room": (
                    "That is what the scheduler will look for. It has not seen the Pod yet."
                ),
                "The node of the ReplicaSet": (
                    "A ReplicaSet is an object in etcd. It runs nowhere, so it has no node."
                ),
            },
        ),
        choice_of(
            "08.pending",
            "Ten ushers are wanted and nine fit on the nodes. What does the ReplicaSet controller "
            "do about the tenth?",
            "Nothing: ten Pods exist",
            "It counts Pods, and there are ten. That one of them has no node is the scheduler's "
            "affair, which tries again when something changes.",
            {
                "It deletes the Pod and tries again": (
                    "Why should it? The Pod is a replica, Pending or not. A new one would fit no "
                    "better."
                ),
                "It creates no tenth Pod, because there is no room": (
                    "It does not know of room. It creates what is missing and never looks at a "
                    "node.",
                    13,
                ),
                "It lowers `spec.replicas` to nine": (
                    "The spec is your wish, and the controller only reads it. What it writes is "
                    "the status."
                ),
            },
        ),
        choice_of(
            "08.victim",
            "You scale from ten back to nine. Which usher goes?",
            "The one that is Pending",
            "A Pod without a node is worth least, so it stands first in the order of deletion.",
            {
                "The oldest one": (
                    "The old ones have shown that they live. Among equals the younger goes."
                ),
                "The newest one that runs": (
                    "It would, if no Pod were Pending. Whether a Pod has a node is asked long "
                    "before its age."
                ),
                "A random one": "The order is fixed, and it is asked criterion by criterion.",
            },
        ),
        choice_of(
            "08.volunteer",
            "Eight ushers are wanted and eight are there. You create a ninth Pod by hand, with the "
            "label `team=ushers`. What happens?",
            "The ReplicaSet adopts it, has one too many, and deletes it",
            "A matching Pod that nobody owns is adopted. Then nine stand where eight are wanted, "
            "and the newcomer, which is not running yet, is first to go.",
            {
                "Nothing: the ReplicaSet did not make it": (
                    "It asks who owns the Pod, not who made it. Nobody does, and the label "
                    "matches.",
                    15,
                ),
                "The ReplicaSet adopts it, and then has nine": (
                    "Adopted it is. But eight are wanted, and the number is kept from both sides.",
                    15,
                ),
                "It is refused, because the label is taken": (
                    "The API server compares no labels: anybody may wear any of them.",
                    15,
                ),
            },
        ),
        choice_of(
            "08.cost",
            "All eight ushers are ready. One of them bears the deletion cost -10. Seven are "
            "wanted: who goes?",
            "The one with the cost of -10",
            "All have a node, run and are ready. The next criterion is the cost, and the cheaper "
            "Pod goes first.",
            {
                "The youngest": (
                    "Ages are compared only among Pods of equal cost. Here one is cheaper."
                ),
                "The one on the fullest node": (
                    "Neighbors come after the cost, and count only Pods of ReplicaSets of one "
                    "owner, such as a Deployment. This ReplicaSet has no owner."
                ),
            },
        ),
        choice_of(
            "08.overlap",
            "Two ReplicaSets select `team=ushers`: `ushers` wants four, `bar` wants two. How many "
            "Pods will there be?",
            "Six: each keeps its own number",
            "Each counts the Pods that it owns. The owner reference, not the label, keeps the two "
            "apart.",
            {
                "Four: the four ushers satisfy both": (
                    "The ushers have an owner, so `bar` may not adopt them, and they do not count "
                    "for it.",
                    15,
                ),
                "It never comes to rest: they delete each other's Pods": (
                    "It would, if they counted by labels alone. You will see that world below.",
                    15,
                ),
                "Four: the second ReplicaSet is refused": (
                    "No rule of the API forbids overlapping selectors. That is what makes the "
                    "mistake easy.",
                    15,
                ),
            },
        ),
        Question(
            key="08.orphan",
            text="`ushers` is deleted with `--cascade=orphan`: its four Pods stay and have no "
            "owner. `bar` wants two and has two. How many Pods are left ten seconds later?",
            kind="number",
            unit="Pods",
            because="The four orphans match the selector of `bar`, so it adopts them as it meets "
            "them. Each time it has more than two, it deletes the surplus: four in all.",
        ),
        choice_of(
            "08.fight",
            "Now the world in which labels alone count. `ushers` wants three, `bar` wants one. "
            "What happens in ten seconds?",
            "They create and delete about a thousand Pods",
            "One sees three and wants one, so it deletes. The other sees one and wants three, so "
            "it creates. Both are right by their own rule, and neither ever is done.",
            {
                "They share three Pods": (
                    "For `ushers` three is right, for `bar` three is two too many.",
                    15,
                ),
                "They end with four Pods": (
                    "That is the real world, in which each counts its own. Here each counts "
                    "everybody's.",
                    15,
                ),
                "They come to rest at two": (
                    "Loops do not bargain. Each one knows its own wish and nothing of the other's.",
                    15,
                ),
            },
        ),
    ),
)
