"""The words between the scheduler and its plugins.

A plugin is a class with a `name` and some of the methods below; the runtime looks which of them
it has. `Status` is a plugin's answer, None means Success. `CycleState` carries what a plugin
computed in PreFilter or PreScore to its Filter and Score, for one Pod and one cycle.

Rule of use: a plugin keeps nothing of one Pod in itself; it belongs into the CycleState.

Upstream: staging/src/k8s.io/kube-scheduler/framework/interface.go, cycle_state.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from k8slab.api.core import Pod

if TYPE_CHECKING:
    from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

MAX_NODE_SCORE = 100


class Code(IntEnum):
    """How a plugin answers."""

    SUCCESS = 0
    ERROR = 1
    UNSCHEDULABLE = 2  # removing other Pods may help
    UNSCHEDULABLE_AND_UNRESOLVABLE = 3  # nothing done to other Pods can help
    SKIP = 5  # this plugin has nothing to say about this Pod

    def __str__(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("_"))


class Status(msgspec.Struct, frozen=True, gc=False):
    """A plugin's answer about a Pod, or about a Pod on one node."""

    code: Code
    reasons: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def message(self) -> str:
        """The reasons as one text."""
        return ", ".join(self.reasons)

    @property
    def rejects(self) -> bool:
        """Whether the Pod is refused, as opposed to a plugin that failed."""
        return self.code in (Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE)


SKIP = Status(Code.SKIP)


class PluginError(Exception):
    """A plugin failed; the Pod is tried again after a back-off."""


class NoteMissingError(PluginError):
    """A plugin looked for a note that it has not made: one of its methods is switched off."""


class CycleState:
    """Notes of the plugins about one Pod during one scheduling cycle."""

    __slots__ = ("_notes", "filters", "signature", "signed", "skip_filter", "skip_score")

    def __init__(self) -> None:
        self._notes: dict[str, Any] = {}
        self.skip_filter: dict[str, None] = {}  # plugins that PreFilter excused from Filter
        self.skip_score: dict[str, None] = {}  # plugins that PreScore excused from Score
        # Of the plugins that were not: first those whose answers nodes remember by the signature.
        self.signed: Sequence[tuple[str, FilterMethod]] = ()
        self.signature = ""
        self.filters: Sequence[tuple[str, FilterMethod]] = ()

    def write(self, key: str, note: Any) -> None:
        """Keep a note; a note that Pods coming and going can change has a `clone` method."""
        self._notes[key] = note

    def read(self, key: str) -> Any:
        """Return the note; NoteMissingError if the plugin did not write it."""
        try:
            return self._notes[key]
        except KeyError:
            raise NoteMissingError(f'error reading "{key}" from cycleState: not found') from None

    def clone(self) -> CycleState:
        """Return a state on which "what if" can be tried without spoiling this one."""
        copy = CycleState()
        copy._notes = {
            key: note.clone() if hasattr(note, "clone") else note
            for key, note in self._notes.items()
        }
        copy.skip_filter = self.skip_filter
        copy.skip_score = self.skip_score
        copy.signed, copy.signature = self.signed, self.signature
        copy.filters = self.filters
        return copy


FilterMethod: TypeAlias = "Callable[[CycleState, PodInfo, NodeInfo], Status | None]"


class Resource:
    """The kinds of things whose changes can make a Pod schedulable."""

    NODE = "Node"
    ASSIGNED_POD = "AssignedPod"
    TARGET_POD = "TargetPod"  # the waiting Pod itself
    STORAGE_CLASS = "StorageClass"
    PERSISTENT_VOLUME = "PersistentVolume"
    PERSISTENT_VOLUME_CLAIM = "PersistentVolumeClaim"
    CSI_NODE = "CSINode"


class Action(IntEnum):
    """What happened to them; values are bits, so that a plugin can name several."""

    ADD = 1
    DELETE = 2
    UPDATE_NODE_ALLOCATABLE = 4
    UPDATE_NODE_LABEL = 8
    UPDATE_NODE_TAINT = 16
    UPDATE_POD_LABEL = 64
    UPDATE_POD_SCALE_DOWN = 128
    UPDATE_POD_TOLERATION = 256
    UPDATE_POD_GATES_ELIMINATED = 512
    UPDATE = 1024  # of a kind whose changes are not told apart


# Says whether a change could make the Pod schedulable: (pod, old object, new object).
QueueingHint: TypeAlias = Callable[[Pod, Any, Any], bool]


class ClusterEvent(msgspec.Struct, frozen=True):
    """A change that a plugin wants its rejected Pods to be looked at again for."""

    resource: str
    actions: int
    hint: QueueingHint | None = None


class PostFilterResult(msgspec.Struct, frozen=True):
    """What a PostFilter plugin found: the node that will have room, and what it costs."""

    nominated_node: str | None = None  # "": withdraw an earlier nomination; None: leave it
    candidates: tuple[Candidate, ...] = ()


class Candidate(msgspec.Struct, frozen=True):
    """A node that would fit if these Pods were gone, most important victim first."""

    node: str
    victims: tuple[Pod, ...]
    violations: int = 0  # PodDisruptionBudgets broken


class Plugin(Protocol):
    """What every plugin has: the name under which its profile lists it."""

    name: str


class PreEnqueuePlugin(Plugin, Protocol):
    """Keeps Pods out of the active queue."""

    def pre_enqueue(self, pod: Pod) -> Status | None:
        """Say whether the Pod may be considered at all."""


class QueueSortPlugin(Plugin, Protocol):
    """Orders the active queue."""

    def sort_key(self, pod: Pod, timestamp: float) -> tuple[float, ...]:
        """Return a key; the lowest comes first."""


class PreFilterPlugin(Plugin, Protocol):
    """Computes once per Pod what Filter needs on each node."""

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Refuse the Pod, excuse the plugin (SKIP), or name the only nodes worth a look."""


class FilterPlugin(Plugin, Protocol):
    """Refuses nodes."""

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Say why the Pod cannot run on the node, None if it can."""


class SignPlugin(Plugin, Protocol):
    """Tells what of a Pod its Filter goes by, beside what is on the node itself.

    Two Pods with one signature get one answer from a node, as long as the node stays as it is.
    """

    def sign_pod(self, pod: PodInfo) -> str:
        """Return all that Filter looks at of the Pod, as text."""


class PreFilterExtensions(Plugin, Protocol):
    """Keeps the notes of PreFilter true while Pods are added or removed for a "what if"."""

    def add_pod(self, state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo) -> None:
        """Count `added`, which now runs on the node."""

    def remove_pod(self, state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo) -> None:
        """Stop counting `removed`."""


class PostFilterPlugin(Plugin, Protocol):
    """Tries to make room for a Pod that fits nowhere."""

    def post_filter(
        self, state: CycleState, pod: PodInfo, statuses: Mapping[str, Status]
    ) -> tuple[PostFilterResult, Status]:
        """Return what could be done, and the text that ends the FailedScheduling message."""


class PreScorePlugin(Plugin, Protocol):
    """Computes once per Pod what Score needs on each node."""

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Take notes about the nodes that fit, or excuse the plugin (SKIP)."""


class ScorePlugin(Plugin, Protocol):
    """Ranks the nodes that are left."""

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Return how good the node is, in the plugin's own unit if it normalises."""


class ScoreNodesPlugin(Plugin, Protocol):
    """Ranks the nodes that are left in one go, where much is the same for all of them."""

    def score_nodes(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        """Return what `score` would for each of the nodes."""


class NormalizeScorePlugin(Plugin, Protocol):
    """Brings the scores of all nodes into 0..100."""

    def normalize_score(
        self, state: CycleState, scores: Sequence[int], nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Return the scores of these nodes, in the same order."""


class ReservePlugin(Plugin, Protocol):
    """Books what the Pod needs before it is bound."""

    def reserve(self, state: CycleState, pod: Pod, node_name: str) -> Status | None:
        """Book; a refusal sends the Pod back."""

    def unreserve(self, state: CycleState, pod: Pod, node_name: str) -> None:
        """Undo the booking; harmless if there was none."""


class PreBindPlugin(Plugin, Protocol):
    """Does what must be done before the Pod is bound."""

    async def pre_bind(self, state: CycleState, pod: Pod, node_name: str) -> Status | None:
        """Do it; a refusal sends the Pod back. Raises ApiError or ConnectionFailed."""


class PreBindPreFlightPlugin(Plugin, Protocol):
    """Tells beforehand whether its PreBind will have something to do."""

    def pre_bind_pre_flight(self, pod: Pod, node_name: str) -> bool:
        """Say whether binding will have to wait; people are then told the node at once."""


class BindPlugin(Plugin, Protocol):
    """Tells the API server where the Pod runs."""

    async def bind(self, pod: Pod, node_name: str) -> None:
        """Bind; raises ApiError or ConnectionFailed."""


class EnqueueExtensions(Plugin, Protocol):
    """Says which changes can help Pods that the plugin rejected."""

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Return the events; without this method every event counts."""


def default_normalize_score(scores: Sequence[int], *, reverse: bool = False) -> list[int]:
    """Scale so that the highest score is 100; `reverse` makes the highest 0 instead.

    >>> default_normalize_score([0, 1, 4])
    [0, 25, 100]
    >>> default_normalize_score([0, 0], reverse=True)
    [100, 100]

    Upstream: pkg/scheduler/framework/plugins/helper/normalize_score.go
    """
    highest = max(scores, default=0)
    if highest == 0:
        return [MAX_NODE_SCORE if reverse else score for score in scores]
    scaled = [MAX_NODE_SCORE * score // highest for score in scores]
    return [MAX_NODE_SCORE - score for score in scaled] if reverse else scaled
