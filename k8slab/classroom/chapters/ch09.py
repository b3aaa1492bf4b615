"""The questions of chapter 09, Rollouts: two ReplicaSets and a budget.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="09",
    title="Rollouts: two ReplicaSets and a budget",
    warm_up=(
        choice_of(
            "09.template",
            "You change the image in the template of a ReplicaSet. What becomes of its Pods?",
            "Nothing: only Pods that it makes later follow the new template",
            "A ReplicaSet counts. Its Pods are enough in number, so it has nothing to do.",
            {
                "It replaces them, one after the other": (
                    "That is what a Deployment does, with two ReplicaSets. One alone compares "
                    "numbers, never templates."
                ),
                "Their containers restart with the new image": (
                    "A template is for Pods that are still to be made. Nobody looks back.",
                    14,
                ),
            },
        ),
        choice_of(
            "09.unready",
            "The readiness probe of a Pod fails. What follows?",
            "It gets no new connections; its container goes on",
            "Readiness is a word about traffic. Only a liveness probe leads to a restart.",
            {
                "Its container is restarted": (
                    "That is what a failing liveness probe does. Readiness only speaks of traffic.",
                    10,
                ),
                "Its ReplicaSet makes another one": (
                    "A replica counts as soon as it exists, ready or not. None is missing.",
                    10,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "09.gates",
            "New Pods of a rollout run, and none becomes ready. Strategy: RollingUpdate, 25% and "
            "25%. How does it go on?",
            "It stands still, and most old Pods go on serving",
            "Old Pods may go only as long as enough are available. New ones count when they are "
            "ready, so none follows.",
            {
                "All old Pods are replaced in the end": (
                    "Then readiness would be worth nothing. A Pod that runs is not yet one that "
                    "serves.",
                    9,
                ),
                "The Deployment goes back to the old version": (
                    "Nobody does that by itself. After the deadline there is a condition to read, "
                    "and no deed."
                ),
            },
        ),
        choice_of(
            "09.ceiling",
            "Eight replicas, maxSurge 25%, maxUnavailable 0. How many Pods does the Deployment "
            "want at most, and how few are available?",
            "10 and 8",
            "25% of 8 is 2 more. None may be missing, so all old ones wait for new ones.",
            {
                "10 and 6": "That would be 25% for both. Here nobody may be missing.",
                "8 and 6": (
                    "That is the other way round: none more, and two missing. It needs no room, "
                    "and costs capacity."
                ),
            },
        ),
        choice_of(
            "09.back",
            "What does `kubectl rollout undo` change?",
            "The Deployment's template, which gets an old ReplicaSet's again",
            "All else follows as in every rollout: the ReplicaSet with this template grows, the "
            "other one shrinks.",
            {
                "The Pods, which get their old image back": (
                    "Pods are not changed in place: there are new ones, as in any rollout.",
                    14,
                ),
                "etcd, which is set back to an earlier moment": (
                    "Nothing goes back in etcd. An undo is one more write, with a new revision."
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "09.change",
            "Four lifeguards run `nginx:1.27`. You set the image of their Deployment to "
            "`nginx:1.28`. What becomes of the four Pods?",
            "They make room, a few at a time, for Pods of a second ReplicaSet",
            "The Deployment makes a ReplicaSet for the new template, and moves the numbers from "
            "one to the other.",
            {
                "Their containers restart with the new image": (
                    "That would be quick, and nobody could go back. A Pod keeps what it was made "
                    "with.",
                    14,
                ),
                "All four are deleted, then four new ones come": (
                    "There is a strategy that does so, Recreate, for programs that cannot bear "
                    "two versions. It has to be asked for."
                ),
                "Their ReplicaSet gets the new template and replaces them": (
                    "A ReplicaSet compares numbers, never templates. And its old template would be "
                    "gone: nobody could go back."
                ),
            },
        ),
        Question(
            key="09.most",
            text="Four are wanted; maxSurge is 25%, maxUnavailable 25%. How many Pods are there at "
            "most during the rollout, not counting those that are being deleted?",
            kind="number",
            unit="Pods",
            because="Surge is what may be above the wanted number: 25% of 4 is 1, so 5 in all.",
        ),
        choice_of(
            "09.apart",
            "Both ReplicaSets make Pods with `team: guards`. In chapter 08, such a pair ended "
            "badly. What keeps these two apart, even if owner references were lost?",
            "One more label, made from the template, in selector and Pods",
            "pod-template-hash is in both selectors, with different values. So neither matches the "
            "other's Pods.",
            {
                "Nothing: the Deployment forbids adoption": (
                    "A ReplicaSet adopts what it matches, whoever made it. Nobody can forbid it.",
                    15,
                ),
                "Their Pods have different names": (
                    "Selectors do not look at names.",
                    15,
                ),
                "They run different images": (
                    "Selectors do not look at images, nor at anything else in a spec.",
                    6,
                ),
            },
        ),
        Question(
            key="09.round",
            text="Ten are wanted; maxSurge is 25%, maxUnavailable 25%. How few are available at "
            "least?",
            kind="number",
            unit="Pods",
            because="25% of 10 is 2.5. What may be missing is rounded down to 2, so 8 stay. The "
            "surge is rounded up, to 3.",
        ),
        choice_of(
            "09.gate",
            "Somebody types `nginx:1.82`, which does not exist. Four are wanted, one may be above "
            "and one missing. How far does the rollout go?",
            "Three old Pods serve, two new ones wait",
            "One old Pod goes at once: one may be missing. Its place and the surge make two. Then "
            "it stands, because none of them becomes ready.",
            {
                "All four are replaced, and none works": (
                    "New Pods count when they are ready. These never are, so no more old ones go.",
                    9,
                ),
                "Four old Pods serve, one new one waits": (
                    "That would be so if none might be missing. Here one may, and it goes at once."
                ),
                "Nothing happens: the image is checked first": (
                    "Nobody checks. The API server knows no registry; only a kubelet pulls.",
                    12,
                ),
            },
        ),
        choice_of(
            "09.deadline",
            "The rollout stands still. `progressDeadlineSeconds` is 60. What does the controller "
            "do when they are over?",
            "It writes a condition that says so, and waits on",
            "ProgressDeadlineExceeded is a word for people and programs that watch. Who goes back, "
            "and when, is theirs to decide.",
            {
                "It deletes the new ReplicaSet": (
                    "Nothing is deleted. If the image appeared now, the rollout would go on."
                ),
                "It goes back to the last version that worked": (
                    "Many expect that. It cannot know whether the old version would still work."
                ),
                "It goes on without regard to readiness": (
                    "Then a deadline would turn a small trouble into a great one.",
                    9,
                ),
            },
        ),
        choice_of(
            "09.undo",
            "`kubectl rollout undo` goes back to the old version. How many ReplicaSets are there "
            "afterwards? Now there are three: 1.27 (empty), 1.28, and 1.82.",
            "Three: that of 1.28 grows again",
            "The Deployment gets the template of 1.28 again. There is a ReplicaSet with just this "
            "template, so none has to be made.",
            {
                "Four: a new one for the undo": (
                    "One is made for each template, not for each rollout. This template has one."
                ),
                "Two: that of 1.82 is deleted": (
                    "It stays, with size 0, so that one could go back to it, too. Ten old ones are "
                    "kept."
                ),
            },
        ),
        choice_of(
            "09.full",
            "All chairs are taken: no node has room for one more. Nobody may be missing "
            "(maxUnavailable 0), one may be above. You set a new image. What happens?",
            "A new Pod waits for room, and the old ones for the new one",
            "Each waits for the other. No error, no crash: two rules that cannot both be kept.",
            {
                "An old Pod goes, to make room": (
                    "One would be missing then, and none may be. The budget is kept, whatever it "
                    "costs."
                ),
                "The new Pod lands on the control-plane node": (
                    "That node has a taint, and the Pod does not tolerate it."
                ),
                "The scheduler evicts an old Pod": (
                    "It does so for a Pod of higher priority only. These are equals."
                ),
            },
        ),
        choice_of(
            "09.patch",
            "You set maxUnavailable to 1 while the rollout stands still. What does this change "
            "start?",
            "The same rollout goes on, with a larger budget",
            "A ReplicaSet belongs to a template. The strategy is no part of it, so nothing new is "
            "made.",
            {
                "A third ReplicaSet, and a new rollout": (
                    "That takes another template. Strategy and number are not in the template."
                ),
                "Nothing, until the next rollout": (
                    "The controller looks again at each change of the Deployment, and reckons with "
                    "what stands there now."
                ),
            },
        ),
    ),
)
