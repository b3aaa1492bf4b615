"""The questions of chapter 04, The life of a Pod.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Choice, Question, choice_of

CHAPTER = Chapter(
    number="04",
    title="The life of a Pod",
    warm_up=(
        choice_of(
            "04.who",
            "Who writes a Pod's status?",
            "The kubelet of its node",
            "Only the node on which it runs can see how it is. Before it has a node, there is "
            "little to say.",
            {
                "The scheduler": ("It writes the node's name, and has never seen a container."),
                "The controller that made it": (
                    "That one reads the status, to know whether it has to make another Pod."
                ),
            },
        ),
        choice_of(
            "04.order",
            "What comes first in a Pod: its network, or its container's image?",
            "The network, in a sandbox that all its containers share",
            "The sandbox is made once and stays while containers come and go in it.",
            {
                "The image: a network is no use without a program": (
                    "The kubelet has the sandbox made first. It would keep the address even if "
                    "every container ended."
                ),
                "Both at once": "They are two orders to the runtime, one after the other.",
            },
        ),
    ),
    ticket=(
        choice_of(
            "04.error",
            "A Pod's STATUS is `CrashLoopBackOff`. What is wrong?",
            "Its container ended; this is the wait before it is started again",
            "The word names a pause. The cause is the exit before it: read "
            "`kubectl logs --previous`.",
            {
                "The kubelet is too busy to start it": (
                    "It waits on purpose, longer each time, so that a broken program does not eat "
                    "the node.",
                    11,
                ),
                "Its image cannot be pulled": (
                    "Then nothing would have crashed: the STATUS would be `ImagePullBackOff`, with "
                    "0 restarts.",
                    12,
                ),
            },
        ),
        choice_of(
            "04.liveness",
            "A liveness probe fails three times. What happens?",
            "The kubelet kills the container and starts it again",
            "Liveness asks: would a restart help? Readiness asks: may it be sent work?",
            {
                "The Pod gets no more traffic": (
                    "That is what a failing readiness probe does. The container goes on running.",
                    10,
                ),
                "The Pod is replaced by another one": (
                    "The Pod stays, with its name, its address and its node. One container in it "
                    "is started again.",
                    14,
                ),
            },
        ),
        choice_of(
            "04.running",
            "A Pod's phase is Running. What do you know?",
            "All its containers were started, and one runs or will run again",
            "It may crash every five seconds and be Running all the while.",
            {
                "Its program works": (
                    "The kubelet sees a process, no more. Whether it works is what probes are for.",
                    9,
                ),
                "It is ready": (
                    "Ready is a condition of its own, and needs a successful readiness probe.",
                    9,
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "04.phase",
            "A container ends with exit code 1 every five seconds, for ever. What is the Pod's "
            "phase after ten minutes?",
            "Running",
            "Every container was started once, and will be started again. That is all that the "
            "phase says.",
            {
                "Failed": (
                    "A Pod fails when nothing of it will be started again. With restartPolicy "
                    "Always that never is.",
                    9,
                    "a crash makes a Pod Failed",
                ),
                "CrashLoopBackOff": (
                    "That is a word of the STATUS column: the reason why a container waits. It is "
                    "no phase.",
                    9,
                ),
                "Pending": (
                    "Pending ends with the first start of the last container. It does not come "
                    "back.",
                    9,
                ),
            },
        ),
        Question(
            key="04.fifth",
            text="The first restart came at once. How many seconds does the kubelet wait before "
            "the fifth?",
            kind="number",
            unit="s",
            tolerance=3.0,
            because="The waits are 10, 20, 40 and 80 seconds before the second, third, fourth and "
            "fifth restart: each twice the one before, up to 300.",
        ),
        choice_of(
            "04.image",
            "Another Pod's image does not exist. After ten minutes, what stands under RESTARTS?",
            "0",
            "Nothing was ever started, so nothing could be started again. The kubelet tries to "
            "pull, and waits longer each time, too.",
            {
                "About 7, as with the crashing one": (
                    "Pulls are repeated, not starts. There is nothing to start.",
                    12,
                ),
                "1": "A restart needs a first start. There was none.",
            },
        ),
        choice_of(
            "04.probe",
            "One of two Pods of a Service fails its readiness probe. What happens to it?",
            "It runs on, and gets no new connections",
            "It leaves the ready ones of the EndpointSlice. Nobody kills it, and when the probe "
            "succeeds it comes back.",
            {
                "It is restarted": (
                    "That is liveness. Readiness never kills anything.",
                    10,
                    "readiness restarts",
                ),
                "It is deleted and replaced": (
                    "A ReplicaSet counts Pods that exist, ready or not. There are still two.",
                    14,
                ),
            },
        ),
        Question(
            key="04.lanes",
            text="A Pod takes 20 s to start up and has a readiness probe. For about how many "
            "seconds is its phase Running while it is not ready?",
            kind="number",
            unit="s",
            tolerance=6.0,
            because="The phase is Running from the first moment of the process. Ready comes when "
            "the probe first succeeds: after the 20 s, at the probe's next turn.",
        ),
        Question(
            key="04.alive",
            text="A web server takes 40 s to start up. Its liveness probe begins at once, asks "
            "every 10 s and gives up after three failures; then it gets 5 s to end. Which of "
            "these are so after two minutes?",
            kind="set",
            choices=(
                Choice("It has been restarted", mutant="readiness restarts"),
                Choice("It has become ready"),
                Choice("Its phase is Running"),
                Choice("Its phase is Failed", mutant="a crash makes a Pod Failed"),
            ),
            actual=("It has been restarted", "Its phase is Running"),
            because="It is killed after about 25 s, always before it is up: a probe meant to help "
            "kills it for ever. A startup probe, or a longer patience, would let it live.",
        ),
        choice_of(
            "04.storm",
            "All three Pods of a shop ask the same database in their liveness probe. The database "
            "is down for two minutes. What happens?",
            "All three are restarted again and again, and it helps nobody",
            "A restart of the shop cannot mend the database. The shop, which might have shown an "
            "excuse, is gone as well.",
            {
                "All three leave the Service until the database is back": (
                    "They would, if it were the readiness probe.",
                    10,
                    "readiness restarts",
                ),
                "Nothing: only the database's own probe matters": (
                    "Each kubelet asks the probes of its own Pods, and acts on them, whatever they "
                    "ask for."
                ),
            },
        ),
    ),
)
