"""The label magnet: move a label on a live Pod, and see which memberships follow it.

    label_magnet(cluster, services=("web",))

Choose a Pod, a label and a value; predict what the Service and the ReplicaSet will do; then the Pod
is really relabelled, with the kubectl command that is shown, a few virtual seconds pass, and the
picture is drawn again. Membership in EndpointSlices and ownership are two separate things.

Rule of use: nothing moves before both predictions are made.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.viz.bipartite import figure_of
from k8slab.viz.figure import Figure
from k8slab.viz.membership_facts import Member, Membership, check_names, read
from k8slab.viz.widgets.label_moves import FOR_REPLICA_SET, FOR_SERVICE, judge, outcome
from k8slab.viz.widgets.widget import (
    Drivable,
    Widget,
    button,
    choice,
    column,
    note,
    picture,
    refill,
    row,
)

SECONDS = 8.0  # virtual, for the controllers and a new Pod
REMOVE = "(no such label)"
ANOTHER = "quarantine"  # a value that no selector asks for
QUESTION = "What will follow the label: the Service, the ReplicaSet, both or neither?"


def label_magnet(
    cluster: Drivable,
    *,
    namespace: str = "default",
    services: Sequence[str] = (),
    replica_sets: Sequence[str] = (),
) -> LabelMagnet:
    """Return the magnet for the Pods of a namespace; names limit what is shown."""
    check_names(cluster.view, namespace, services, replica_sets)
    return LabelMagnet(cluster, namespace, tuple(services), tuple(replica_sets))


class LabelMagnet(Widget):
    """Labels on live Pods, and who follows them."""

    def __init__(
        self,
        cluster: Drivable,
        namespace: str,
        services: tuple[str, ...],
        replica_sets: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.cluster = cluster
        self.namespace = namespace
        self.services = services
        self.replica_sets = replica_sets
        # A Pod that was let go stays in the picture: it is what the lesson is about.
        self._moved: dict[str, None] = {}

    def facts(self) -> Membership:
        """Return who has which Pods now."""
        return read(
            self.cluster.view, self.namespace, self.services, self.replica_sets, tuple(self._moved)
        )

    def figure(self) -> Figure:
        """Return the membership, with the question below it in words."""
        drawn = figure_of(self.facts(), self.cluster.now)
        return Figure(drawn.drawing, alt=drawn.alt, text=f"{drawn.text}\n{QUESTION}")

    # -- moving

    def command(self, pod: str, key: str, value: str) -> str:
        """Return the kubectl command that moves the label."""
        change = f"{key}-" if value == REMOVE else f"{key}={value} --overwrite"
        where = "" if self.namespace == "default" else f" -n {self.namespace}"
        return f"label pod {pod} {change}{where}"

    def move(self, pod: str, key: str, value: str, service: str, replica_set: str) -> str:
        """Move the label, let time pass, redraw, and say how the predictions came out."""
        before = read(self.cluster.view, self.namespace)
        said = self.cluster.kubectl(self.command(pod, key, value)).strip()
        if said.lower().startswith("error"):
            return said
        self._moved[pod] = None
        self.cluster.run(SECONDS)
        after = read(self.cluster.view, self.namespace)
        self.redraw()
        return judge(service, replica_set, outcome(before, after, pod))

    def keys(self) -> list[str]:
        """Return the labels that selectors ask for, then the others of the Pods."""
        facts = self.facts()
        asked = [
            part.partition("=")[0].strip()
            for group in (*facts.services, *facts.replica_sets)
            for part in group.selector.split(",")
            if "=" in part
        ]
        carried = [key for pod in facts.pods for key in pod.labels if "kubernetes.io/" not in key]
        return list(dict.fromkeys([*asked, *carried]))

    def values(self, pod: str, key: str) -> list[str]:
        """Return the values that the label can be moved to: those in use, another, none."""
        facts = self.facts()
        now = {p.name: p.labels.get(key, REMOVE) for p in facts.pods}
        used = [p.labels[key] for p in facts.pods if key in p.labels]
        used += [
            part.partition("=")[2]
            for group in (*facts.services, *facts.replica_sets)
            for part in group.selector.split(",")
            if part.partition("=")[0].strip() == key
        ]
        options = dict.fromkeys([*used, ANOTHER, REMOVE])
        return [value for value in options if value != now.get(pod, "")]

    # -- the live part

    def controls(self) -> Any:
        """Make the menus, the button and the picture."""
        import ipywidgets

        self._pod = choice("Pod", [], "The Pod whose label moves", "300px")
        self._key = choice("label", [], "The label", "220px")
        self._value = choice("becomes", [], "Its new value", "220px")
        first = "predict"
        self._service = choice("The Service", FOR_SERVICE, "Prediction", "240px", first=first)
        self._set = choice("The ReplicaSet", FOR_REPLICA_SET, "Prediction", "270px", first=first)
        self._shown = ipywidgets.HTML()
        self._feedback = ipywidgets.HTML(note(QUESTION))
        self._live = ipywidgets.HTML()
        self._box = column(
            row(self._pod, self._key, self._value),
            row(self._service, self._set, button("Move the label", self._on_move, "Run kubectl")),
            self._shown,
            self._feedback,
            self._live,
        )
        for menu in (self._pod, self._key):
            menu.observe(lambda _: self._fill_values(), "value")
        self._value.observe(lambda _: self._show_command(), "value")
        self.redraw()
        return self._box

    def redraw(self) -> None:
        """Write the picture and the menus anew, if the live part is shown."""
        if self._box is None:
            return
        pods = self.facts().pods
        refill(self._pod, [(_entry(pod), pod.name) for pod in pods])
        refill(self._key, [(key, key) for key in self.keys()])
        self._fill_values()
        self._live.value = picture(self.figure())

    def _fill_values(self) -> None:
        pod, key = self._pod.value, self._key.value
        if pod and key:
            refill(self._value, [(value, value) for value in self.values(pod, key)])
            self._show_command()

    def _show_command(self) -> None:
        if self._pod.value and self._key.value and self._value.value:
            command = self.command(self._pod.value, self._key.value, self._value.value)
            self._shown.value = note(f"kubectl {command}")

    def _on_move(self) -> None:
        if not (self._pod.value and self._key.value and self._value.value):
            self._feedback.value = note("There is no Pod with a label here: create one first.")
            return
        if not (self._service.value and self._set.value):
            self._feedback.value = note(QUESTION, mark="Predict both first.")
            return
        said = self.move(
            self._pod.value,
            self._key.value,
            self._value.value,
            self._service.value,
            self._set.value,
        )
        self._service.value = self._set.value = ""
        self._feedback.value = note(said)


def _entry(pod: Member) -> str:
    return f"{pod.short} ({pod.status})"
