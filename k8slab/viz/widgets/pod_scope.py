"""The Pod scope: dials for a Pod's program and probes, and four lanes of what the Pod then says.

    pod_scope(cluster)

Set the dials, read the manifest that they stand for, predict the STATUS column and the Ready
condition; the Pod is then really created, and time passes. Phase, Ready condition, container state
and STATUS column are four things: the lanes show when they part.

Rule of use: each try makes a Pod of its own, `scope-1`, `scope-2`, ...; the one before is deleted.

Upstream: none (kubectl describe shows the end of it, and no past)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_ready
from k8slab.viz.drawing import Drawing
from k8slab.viz.facts import status_column
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.pod_lanes import event_lane
from k8slab.viz.style import WIDTH
from k8slab.viz.widgets.pod_dials import DIALS, MISSING, manifest
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

NAME = "scope"
SECONDS = 60.0  # virtual, of one try
MORE = 60.0
STATUSES = (
    *("Running", "Completed", "Error", "CrashLoopBackOff"),
    *("ErrImagePull", "ImagePullBackOff", "ContainerCreating", "Pending"),
)
READY, NOT_READY = "ready", "not ready"
YES, NO = "yes", "no"


class Imaged(Drivable, Protocol):
    """A cluster whose registries a learner may break."""

    def break_image(self, image: str) -> None:
        """Let this tag not exist in its registry."""


def pod_scope(cluster: Imaged) -> PodScope:
    """Return the scope; its Pods live in namespace default."""
    return PodScope(cluster)


class PodScope(Trial):
    """Dials of one Pod, and its lanes."""

    QUESTION = f"After {SECONDS:g} s: what stands under STATUS, is it ready, was it restarted?"
    GO = "Create the Pod"

    def __init__(self, cluster: Imaged) -> None:
        super().__init__(
            DIALS,
            (
                Dial(name="status", words="STATUS", options=STATUSES, width="240px"),
                Dial(name="ready", words="Ready", options=(READY, NOT_READY), width="170px"),
                Dial(name="restarts", words="restarted", options=(YES, NO), width="170px"),
            ),
        )
        self.cluster = cluster
        self.tries = 0

    @property
    def name(self) -> str:
        """The Pod of the last try."""
        return f"{NAME}-{self.tries}"

    def preview(self) -> str:
        """Return the manifest of the next try."""
        return manifest(f"{NAME}-{self.tries + 1}", self.values).strip()

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button that lets time pass."""
        return ((f"{MORE:g} s more", self.more, "Let virtual time pass"),)

    def more(self) -> None:
        """Let more time pass, and look again."""
        self.cluster.run(MORE)
        pod = self._pod()
        self.say(_is(pod) if pod is not None else f"There is no Pod {self.name}.")

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Create the Pod, let time pass, and compare."""
        if self._pod() is not None:
            self.cluster.kubectl(f"delete pod {self.name} --now --wait=false")
        self.cluster.break_image(MISSING)
        self.tries += 1
        said = self.cluster.kubectl("apply -f -", stdin=manifest(self.name, self.values))
        self.cluster.run(SECONDS)
        pod = self._pod()
        if pod is None:
            raise ValueError(said.strip())
        return f"{judge(pod, guesses)}\n{_is(pod)}"

    def _pod(self) -> Pod | None:
        found: Pod | None = self.cluster.view.get(Pod, self.name) if self.tries else None
        return found

    # -- the picture

    def draw(self) -> Figure:
        """Draw the lanes of the last Pod."""
        if self.tries:
            return event_lane(self.cluster, f"pod/{self.name}")
        title, below = "No Pod yet", "set the dials, predict, create"
        items = tuple(heading(title, below))
        return Figure(Drawing(WIDTH, HEAD, items), alt=f"{title}.", text=f"{title}: {below}")


def judge(pod: Pod, guesses: Mapping[str, str]) -> str:
    """Say how the guesses came out."""
    status, ready = status_column(pod), READY if is_pod_ready(pod) else NOT_READY
    restarted = YES if _restarts(pod) else NO
    found = {"status": status, "ready": ready, "restarts": restarted}
    words = {"status": "STATUS", "ready": "Ready", "restarts": "restarted"}
    said = [
        f"{words[key]}: right, {value}."
        if guesses[key] == value
        else f"{words[key]}: you said {guesses[key]}, it is {value}."
        for key, value in found.items()
    ]
    return " ".join(said)


def _restarts(pod: Pod) -> int:
    return sum(status.restartCount for status in pod.status.containerStatuses)


def _is(pod: Pod) -> str:
    """Say the four things beside one another, and the last words of the kubelet."""
    states = pod.status.containerStatuses
    state = states[0].state if states else None
    waiting = state.waiting if state is not None else None
    ended = state.terminated if state is not None else None
    what = "running"
    if waiting is not None:
        what = f"waiting ({waiting.reason})"
    elif ended is not None:
        what = f"terminated ({ended.reason}, exit code {ended.exitCode})"
    ready = "True" if is_pod_ready(pod) else "False"
    said = (
        f" The kubelet says: {waiting.message}" if waiting is not None and waiting.message else ""
    )
    return (
        f"phase {pod.status.phase}, Ready {ready}, container {what}, "
        f"STATUS {status_column(pod)}, RESTARTS {_restarts(pod)}.{said}"
    )
