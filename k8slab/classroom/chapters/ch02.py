"""The questions of chapter 02, One write, many watchers.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Choice, Question, choice_of

CHAPTER = Chapter(
    number="02",
    title="One write, many watchers: API server, etcd, reconcile",
    warm_up=(
        choice_of(
            "02.meet",
            "Which part of the control plane may read and write etcd?",
            "The API server, and nobody else",
            "Everybody else asks the API server. So there is one place that checks what is "
            "written, and one that tells who is waiting.",
            {
                "Every part of the control plane": (
                    "Scheduler and controllers have never seen etcd. They would bypass every check."
                ),
                "The controller manager": (
                    "Its controllers read and write through the API server, as you do."
                ),
            },
        ),
        choice_of(
            "02.forget",
            "etcd is stopped for a minute. What happens to the objects that were stored?",
            "Nothing: they cannot be read or changed meanwhile, and then they are there",
            "etcd keeps them on its disk. The Pods that run go on running, for nobody asks etcd "
            "about them.",
            {
                "They are forgotten": (
                    "They are on the disk. A store that forgets when it is restarted would be none."
                ),
                "The API server keeps them in its memory and writes them back": (
                    "The API server owns nothing. What it has in memory comes from etcd, and it "
                    "reads it again."
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "02.level",
            "Why does a controller compare what is wanted with what is there, at every event?",
            "Because events may be lost or come twice, and a comparison is right all the same",
            "A watch can break, a process can restart. Whoever looks at what is needs no event to "
            "be the only one.",
            {
                "Because it does not know what the event was": (
                    "It is told the type and the object. It does not rely on that, and for a "
                    "reason."
                ),
                "Because comparing is faster than handling the event": (
                    "It is slower. It is right, and that is worth more."
                ),
            },
        ),
        choice_of(
            "02.conflict",
            "Your `kubectl replace` is answered with 409 Conflict. What has happened?",
            "Somebody wrote the object after the version that you had read",
            "The object's resourceVersion is newer than yours. Read it again, make your change "
            "again, send it again.",
            {
                "Somebody has the object locked": (
                    "There are no locks. Everybody may try, and the one with the newest version "
                    "gets through."
                ),
                "The object's fields contradict each other": (
                    "Then the answer would be 422, with the names of the fields. 409 is about "
                    "versions."
                ),
            },
        ),
        choice_of(
            "02.poll",
            "A Deployment controller hears of a new Deployment within milliseconds. How?",
            "It has a watch: the API server sends each write on a connection that stays open",
            "It listed once, and then asked to be told of everything after that version.",
            {
                "It asks every few milliseconds": (
                    "Thousands of nodes asking again and again would need a much larger server."
                ),
                "kubectl tells it": "kubectl talks to the API server and is done.",
            },
        ),
    ),
    predictions=(
        Question(
            key="02.told",
            text="You create one Pod. Which of these have asked to be told of it?",
            kind="set",
            choices=(
                Choice("the scheduler"),
                Choice("etcd"),
                Choice("the controller manager"),
                Choice("every worker's kube-proxy"),
            ),
            actual=("the scheduler", "the controller manager"),
            because="Whoever may have to act on a Pod watches Pods. kube-proxy cares for Services "
            "and their lists; etcd keeps everything and reacts to nothing.",
        ),
        choice_of(
            "02.versions",
            "From `kubectl run` to Running, how many versions of the Pod are stored?",
            "Four: created, bound to a node, taken on, running",
            "Each write makes a new version with a new resourceVersion. Three parts wrote: you, "
            "the scheduler, and twice the kubelet.",
            {
                "One: the Pod is one object": (
                    "One object, and each write makes a new version of it. Others can see, and "
                    "wait for, every one."
                ),
                "Two: what you wrote, and what became of it": (
                    "Between the two somebody had to choose a node, and somebody to take the Pod "
                    "on. Both are written."
                ),
            },
        ),
        choice_of(
            "02.second",
            "Two people have read the same version of an object. Both send their change as a "
            "whole object, one after the other. What happens?",
            "The first is stored, the second is refused",
            "The second one's version is no longer the newest. Had it been stored, the first "
            "change would be gone, and nobody would know.",
            {
                "Both are stored: the last one wins": (
                    "That is what a file does. The API server compares versions first."
                ),
                "The second has to wait until the first is done": (
                    "Nobody waits and nothing is locked. The second gets an answer at once."
                ),
            },
        ),
        choice_of(
            "02.patch",
            "Both send a patch instead, each for another field, and name no version. What happens?",
            "Both are stored",
            "A patch says what to change, and leaves the rest. The API server applies it to what "
            "is there.",
            {
                "The second is refused": (
                    "A patch is checked against a version only if it names one."
                ),
                "The second undoes the first": (
                    "It would, if it were a whole object. A patch touches its own fields only."
                ),
            },
        ),
        choice_of(
            "02.lost",
            "A counter adds one at each ADDED and takes one off at each DELETED. One DELETED is "
            "lost. When is the number right again?",
            "Never",
            "Nobody tells it a second time. The difference stays until the counter is started "
            "anew.",
            {
                "At the next event": (
                    "The next event moves the number by one, from a wrong number to another."
                ),
                "After 30 seconds, when everything is looked at again": (
                    "A look would help somebody who counts what is there. This one only adds up."
                ),
            },
        ),
        Question(
            key="02.reader",
            text="Another controller counts the Pods that are there, at each event, and at a look "
            "every 30 s. The same DELETED is lost for it. For how many seconds at most is its "
            "number wrong?",
            kind="number",
            unit="s",
            tolerance=2.0,
            because="Until the next event, or the next look, whichever comes first. No event is "
            "the only one that could tell it.",
        ),
        choice_of(
            "02.closed",
            "etcd is stopped, and you scale `bar` from two to three Pods. Then etcd is started, "
            "and nobody types a word. How many Pods has `bar` a minute later?",
            "Two: the wish was refused",
            "The API server said no, because it could not write the wish down. What is not "
            "written is not wanted.",
            {
                "Three: the API server kept the wish until it could store it": (
                    "It keeps nothing. A wish that it cannot store is answered with an error, so "
                    "that you know."
                ),
                "Three: kubectl tries again until it succeeds": (
                    "kubectl asks once, prints the error and ends. Trying again is for controllers."
                ),
                "None: without its store the cluster stopped them": (
                    "The kubelets go on with what they know. No store is needed to keep a process "
                    "running."
                ),
            },
        ),
    ),
)
