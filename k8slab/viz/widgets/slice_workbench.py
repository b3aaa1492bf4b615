"""The slice workbench: a Pod, a Service, and the endpoint that you derive before you see it.

    slice_workbench(cluster)

Choose a Service and a Pod, read what is known of the Pod, and fill in its endpoint: is it listed,
ready, serving, terminating, and on which port? Then the real EndpointSlice is opened and compared,
field by field. A kubectl command changes the Pod or the Service, and the slice follows.

Rule of use: what has been compared stays open until something is changed.

Upstream: staging/src/k8s.io/endpointslice/utils.go (podToEndpoint)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api.core import Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.pods import is_pod_ready, is_pod_terminal
from k8slab.viz.drawing import Drawing, Text
from k8slab.viz.facts import SERVICE_NAME_LABEL
from k8slab.viz.figure import Figure
from k8slab.viz.grid import NO, YES, Cell, Column, grid
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import MARGIN, SMALL, WIDTH
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

SECONDS = 2.0  # virtual, after a command
TRUE, FALSE, ABSENT = "true", "false", "not listed"
BOOLS = (TRUE, FALSE, ABSENT)
FIELDS = ("ready", "serving", "terminating", "port")
SHOWN = 16  # Pods
COLUMNS = (
    Column("Pod", 176), Column("labels match", 88), Column("podIP", 84), Column("Ready", 60),
    Column("deleting", 64), Column("containerPorts", 118), Column("ready", 64),
    Column("serving", 64), Column("terminating", 80), Column("port", 62),
)  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    """What an EndpointSlice says of a Pod, in words."""

    ready: str = ABSENT
    serving: str = ABSENT
    terminating: str = ABSENT
    port: str = ABSENT


def slice_workbench(cluster: Drivable, *, service: str = "") -> SliceWorkbench:
    """Return the workbench for namespace default, by default of the first Service there."""
    return SliceWorkbench(cluster, service)


class SliceWorkbench(Trial):
    """Endpoints that are derived before they are seen."""

    QUESTION = "What does the slice say of this Pod?"
    GO = "Open the slice"

    def __init__(self, cluster: Drivable, service: str) -> None:
        self.cluster = cluster
        self.opened: dict[str, Entry] = {}
        services = self._services()
        if service and service not in services:
            raise ValueError(f"no Service {service!r} here: there are {', '.join(services)}")
        pods = self._names()
        command = f"label pod {pods[0]} app=quarantine --overwrite" if pods else "get pods"
        super().__init__(
            (
                Dial(name="service", words="Service", options=services or ("",), value=service,
                     width="230px"),
                Dial(name="pod", words="Pod", options=pods or ("",), width="280px"),
                Dial(name="command", words="kubectl", value=command, width="520px"),
            ),
            (
                *(Dial(name=name, words=name, options=BOOLS, width="190px")
                  for name in FIELDS[:3]),
                Dial(name="port", words="port", options=self._ports(), width="150px"),
            ),
        )  # fmt: skip

    def _services(self) -> tuple[str, ...]:
        found = self.cluster.view.list(Service, "default")
        return tuple(s.metadata.name for s in found if s.metadata.name != "kubernetes")

    def _pods(self) -> list[Pod]:
        return self.cluster.view.list(Pod, "default")

    def _names(self) -> tuple[str, ...]:
        return tuple(pod.metadata.name for pod in self._pods())

    def _ports(self) -> tuple[str, ...]:
        """Return every number that might stand there, and some that do not."""
        found = {"80": None, "8080": None}
        for service in self.cluster.view.list(Service, "default"):
            for port in service.spec.ports:
                found |= {str(port.port): None, str(port.targetPort or port.port): None}
        for pod in self._pods():
            found |= {number: None for number in _container_ports(pod).values()}
        return (*(number for number in found if number.isdigit()), ABSENT)

    # -- what a learner does

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button of the command."""
        return (("Run the command", self.command, f"Run kubectl, then {SECONDS:g} seconds"),)

    def command(self) -> None:
        """Run the kubectl command; what was opened is closed again."""
        said = self.cluster.kubectl(self.values["command"].strip().removeprefix("kubectl "))
        self.cluster.run(SECONDS)
        self.opened = {}
        self.say(f"{said.strip()}\n{self.QUESTION}")

    def turned(self, name: str) -> None:
        """Close the slice when another Service is chosen."""
        if name == "service":
            self.opened = {}
            self.say(self.QUESTION)

    def redraw(self) -> None:
        """Offer the Services and Pods that there are now, and draw."""
        self.offer("service", self._services() or ("",))
        self.offer("pod", self._names() or ("",))
        super().redraw()

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Open the slice for this Pod, and compare field by field."""
        view, name = self.cluster.view, self.values["pod"]
        service, pod = view.get(Service, self.values["service"]), view.get(Pod, name)
        if service is None or pod is None:
            raise ValueError("There is no Service with a Pod here: create both first.")
        entry = self.opened[name] = entry_of(view, service.metadata.name, name)
        lines = [
            f"{field}: right, {truth}."
            if guesses[field] == truth
            else f"{field}: you said {guesses[field]}, it is {truth}."
            for field, truth in ((field, getattr(entry, field)) for field in FIELDS)
        ]
        return f"{' '.join(lines)}\n{why(service, pod, entry)}"

    # -- the picture

    def draw(self) -> Figure:
        """Draw the Pods with what is known of them, and the endpoints that were opened."""
        service = self.cluster.view.get(Service, self.values["service"])
        pods = self._pods()
        if service is None:
            title, below = "No Service yet", "create one that selects Pods"
            items = tuple(heading(title, below))
            return Figure(Drawing(WIDTH, HEAD, items), alt=f"{title}.", text=f"{title}: {below}")
        title = f"The endpoints of service/{service.metadata.name}"
        ports = ", ".join(f"{p.port} to targetPort {p.targetPort or p.port}"
                          for p in service.spec.ports)  # fmt: skip
        below = f"selector {_words(service.spec.selector) or 'none'}; port {ports}"
        rows = [self._row(service, pod) for pod in pods[:SHOWN]]
        names = [pod.metadata.name for pod in pods[:SHOWN]]
        lit = [names.index(self.values["pod"])] if self.values["pod"] in names else []
        table, y = grid(COLUMNS, rows, HEAD + 4, lit=lit)
        hidden = len(pods) - len(rows)
        note = "left: what is known of the Pod; right of it, after opening: what the slice says"
        note += f"; {hidden} more Pods are not drawn" if hidden else ""
        items = (*heading(title, below), *table,
                 Text(x=MARGIN, y=y + 16, text=note, size=SMALL, fill="muted"))  # fmt: skip
        lines = [f"  {_told(service, pod, self.opened.get(pod.metadata.name))}" for pod in pods]
        text = "\n".join([f"{title}: {below}", *lines])
        alt = f"{title}: {len(pods)} Pods, {len(self.opened)} opened."
        return Figure(Drawing(WIDTH, y + 32, items), alt=alt, text=text)

    def _row(self, service: Service, pod: Pod) -> tuple[Cell | str, ...]:
        entry = self.opened.get(pod.metadata.name)
        matches = _matches(service, pod)
        ports = ", ".join(f"{n}:{p}" if n else p for n, p in _container_ports(pod).items())
        right = [Cell("?", muted=True)] * 4
        if entry is not None:
            values = (entry.ready, entry.serving, entry.terminating, entry.port)
            right = [Cell("-" if value == ABSENT else value, bold=True) for value in values]
        return (
            pod.metadata.name,
            Cell("yes" if matches else "no", look=YES if matches else NO),
            pod.status.podIP or "-",
            "True" if is_pod_ready(pod) else "False",
            "yes" if pod.metadata.deletionTimestamp else "no",
            ports or "-",
            *right,
        )


def entry_of(view: Any, service: str, pod: str) -> Entry:
    """Return what the Service's slices say of a Pod."""
    for found in view.list(EndpointSlice, "default", labels=f"{SERVICE_NAME_LABEL}={service}"):
        for endpoint in found.endpoints:
            if endpoint.targetRef is not None and endpoint.targetRef.name == pod:
                state = endpoint.conditions
                return Entry(
                    ready=TRUE if state.ready else FALSE,
                    serving=TRUE if state.serving else FALSE,
                    terminating=TRUE if state.terminating else FALSE,
                    port=str(found.ports[0].port) if found.ports else ABSENT,
                )
    return Entry()


def why(service: Service, pod: Pod, entry: Entry) -> str:
    """Say in a sentence what decided."""
    if entry.port == ABSENT:
        if not _matches(service, pod):
            return "Its labels do not match the selector, and nothing else is asked."
        if is_pod_terminal(pod):
            return f"It has ended ({pod.status.phase}): ended Pods are left out."
        return (
            "It has no address yet." if not pod.status.podIP else "The slice is still on its way."
        )
    if entry.terminating == TRUE:
        return "It is being deleted, so it is never ready; serving still says whether it answers."
    if entry.ready == FALSE:
        return "It is listed, for its labels match; its Ready condition is False, so ready is."
    target = next((p.targetPort for p in service.spec.ports), None)
    if isinstance(target, str) and target and not target.isdigit():
        return f"Ready and listed; the name {target} is looked up in this Pod's own ports."
    return (
        "Its labels match, it is Ready, and targetPort is a number: the Pod's ports do not count."
    )


def _matches(service: Service, pod: Pod) -> bool:
    selector = service.spec.selector
    return bool(selector) and selector.items() <= pod.metadata.labels.items()


def _container_ports(pod: Pod) -> dict[str, str]:
    """Return the numbers of a Pod's ports by their names."""
    return {
        port.name or "": str(port.containerPort)
        for container in pod.spec.containers
        for port in container.ports
    }


def _words(selector: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())


def _told(service: Service, pod: Pod, entry: Entry | None) -> str:
    known = (
        f"{pod.metadata.name}: {'matches' if _matches(service, pod) else 'does not match'}, "
        f"podIP {pod.status.podIP or 'none'}, Ready {is_pod_ready(pod)}, "
        f"deleting {bool(pod.metadata.deletionTimestamp)}"
    )
    if entry is None:
        return f"{known}; not opened yet"
    return f"{known}; ready {entry.ready}, serving {entry.serving}, " + (
        f"terminating {entry.terminating}, port {entry.port}"
    )
