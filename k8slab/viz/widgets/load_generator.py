"""The load generator: many requests, a bar for each Pod that served some, and what failed.

    load_generator(cluster)

Choose the number of requests and what happens to the cluster half-way, predict how the load is
shared and whether requests fail; then they are really sent, each on a connection of its own. The
bars show what each Pod served, beside what a fair share would have been.

Rule of use: a rule chooses at random for each connection; shares are fair on average only.

Upstream: none (hey and fortio do this there)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.core import Pod, Service
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import BLUE, MARGIN, SMALL, VERMILLION, WIDTH
from k8slab.viz.text_width import fit
from k8slab.viz.widgets.packet_card import Asking
from k8slab.viz.widgets.trial import Dial, Trial

NOTHING = "nothing"
HALFWAY = (
    NOTHING,
    "one of its Pods is deleted",
    "one of its Pods is deleted at once (--now)",
    "its Pods are doubled",
    "it loses its selector's Pods (scaled to 0)",
)
PAUSE = 0.2  # virtual seconds between two requests
PATIENCE = 1.0  # virtual seconds, of a client for an answer
EVEN, ROUGH, ONE = "all served equally many", "roughly equally many", "one Pod served all"
SHARES = (EVEN, ROUGH, ONE)
FAILED = ("none", "a few", "about half")
FEW = 0.25  # share of requests up to which "a few" failed
NAMES, BAR, GAP = 220.0, 20.0, 8.0  # px
MOST = 20  # bars


def load_generator(cluster: Asking, *, service: str = "") -> LoadGenerator:
    """Return the generator; `service` of namespace default, by default the first of one's own."""
    return LoadGenerator(cluster, service)


class LoadGenerator(Trial):
    """Requests to a Service, and who served them."""

    QUESTION = "How will the load be shared, and how many requests fail?"
    GO = "Send the requests"

    def __init__(self, cluster: Asking, service: str) -> None:
        self.cluster = cluster
        self.answers: list[Any] = []
        self.ready = 0  # Pods that were ready when the load began
        services = self._services()
        if service and service not in services:
            raise ValueError(f"no Service {service!r} here: there are {', '.join(services)}")
        super().__init__(
            (
                Dial(name="service", words="to Service", options=services or ("",), value=service,
                     width="260px"),
                Dial(name="source", words="from", options=self._sources(), width="290px"),
                Dial(name="number", words="requests", options=("20", "50", "100", "200"),
                     width="150px"),
                Dial(name="halfway", words="half-way", options=HALFWAY, width="380px"),
            ),
            (
                Dial(name="share", words="The load", options=SHARES, width="280px"),
                Dial(name="failed", words="Failed", options=FAILED, width="180px"),
            ),
        )  # fmt: skip

    def _services(self) -> tuple[str, ...]:
        found = self.cluster.view.list(Service, "default")
        return tuple(s.metadata.name for s in found if s.metadata.name != "kubernetes")

    def _sources(self) -> tuple[str, ...]:
        nodes = [f"node/{n.metadata.name}" for n in self.cluster.view.list("nodes")]
        pods = [f"pod/{p.metadata.name}" for p in self.cluster.view.list(Pod, "default")]
        workers = [name for name in nodes if name != "node/control-plane"]
        return (*workers, *pods, "node/control-plane")

    def redraw(self) -> None:
        """Offer the Services and clients that there are now, and draw."""
        self.offer("service", self._services() or ("",))
        self.offer("source", self._sources())
        super().redraw()

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Send the requests, change the cluster half-way, and compare."""
        if not self.values["service"]:
            raise ValueError("There is no Service here: create a Deployment and expose it first.")
        self.answers = []
        pods = self._pods()
        self.ready = len(pods)
        number = int(self.values["number"])
        address = self.cluster.view.get(Service, self.values["service"])
        url = f"http://{address.spec.clusterIP}:{address.spec.ports[0].port}"
        for place in range(number):
            if place == number // 2:
                self._change(pods)
            answer = self.cluster.request(self.values["source"], url, timeout=PATIENCE)
            self.answers.append(answer)
            self.cluster.run(PAUSE)
        return judge(guesses, self.answers, self.ready)

    def _pods(self) -> list[Pod]:
        service = self.cluster.view.get(Service, self.values["service"])
        words = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
        return self.cluster.view.list(Pod, "default", labels=words) if words else []

    def _change(self, pods: Sequence[Pod]) -> None:
        """Do to the cluster what the dial says."""
        choice = HALFWAY.index(self.values["halfway"])
        if choice == 0 or not pods:
            return
        name, owner = pods[0].metadata.name, _workload(pods[0])
        command = (
            f"delete pod {name} --wait=false",
            f"delete pod {name} --now --wait=false",
            f"scale {owner} --replicas={2 * len(pods)}",
            f"scale {owner} --replicas=0",
        )[choice - 1]
        self.cluster.kubectl(command)

    # -- the picture

    def draw(self) -> Figure:
        """Draw a bar for each Pod, and one for what failed."""
        name = self.values["service"] or "none"
        title = f"Load on service/{name}"
        if not self.answers:
            below = "no request sent yet"
            return Figure(Drawing(WIDTH, HEAD, tuple(heading(title, below))), alt=f"{title}.",
                          text=f"{title}: {below}")  # fmt: skip
        served, failed = served_by(self.answers), failures(self.answers)
        total = len(self.answers)
        below = (
            f"{count(total, 'request')}: {total - sum(failed.values())} answered by "
            f"{count(len(served), 'Pod')}, {sum(failed.values())} failed"
        )
        fair = total / self.ready if self.ready else 0.0
        bars = [(pod, number, BLUE) for pod, number in served.items()]
        bars += [(outcome, number, VERMILLION) for outcome, number in failed.items()]
        items, y = _bars(bars[:MOST], fair, total)
        text = [f"{title}: {below}"]
        text += [f"  {who}: {number} ({100 * number / total:.0f}%)" for who, number, _ in bars]
        if fair:
            text.append(
                f"  a fair share of the {count(self.ready, 'Pod')} of before is {fair:.1f} each"
            )
        drawing = Drawing(WIDTH, y + 10, (*heading(title, below), *items))
        return Figure(drawing, alt=f"{title}: {below}.", text="\n".join(text))


def _bars(
    bars: Sequence[tuple[str, int, str]], fair: float, total: int
) -> tuple[list[Item], float]:
    left, room = MARGIN + NAMES, WIDTH - 2 * MARGIN - NAMES - 60
    scale = room / max(max(number for _, number, _ in bars), fair, 1.0)
    items: list[Item] = []
    y = HEAD + 8
    for who, number, fill in bars:
        middle = y + BAR / 2
        words = fit(who, NAMES - 16, SMALL)
        share = f"{number} ({100 * number / total:.0f}%)"
        items += [
            Text(x=MARGIN, y=middle, text=words, size=SMALL, tip=who),
            Box(x=left, y=y, width=max(number * scale, 2), height=BAR, fill=fill, radius=3),
            Text(x=left + number * scale + 6, y=middle, text=share, size=SMALL),
        ]
        y += BAR + GAP
    if fair:
        x = left + fair * scale
        items.append(Line(points=((x, HEAD + 4), (x, y)), stroke="ink", line=1.5, dashed=True))
        words = f"dashed: a fair share of the Pods of before, {fair:.1f} requests"
        items.append(Text(x=MARGIN, y=y + 10, text=words, size=SMALL, fill="muted"))
        y += 22
    return items, y


def served_by(answers: Sequence[Any]) -> dict[str, int]:
    """Return how many requests each Pod answered, by name."""
    names = [a.served_by.partition(" on ")[0].rpartition("/")[2] for a in answers if a.ok]
    return dict(sorted(Counter(names).items()))


def failures(answers: Sequence[Any]) -> dict[str, int]:
    """Return how many requests failed, by outcome."""
    found = [f"HTTP {a.status}" if a.outcome == "answered" else a.outcome
             for a in answers if not a.ok]  # fmt: skip
    return dict(sorted(Counter(found).items()))


def judge(guesses: Mapping[str, str], answers: Sequence[Any], ready: int) -> str:
    """Say how the guesses came out, and why."""
    numbers = list(served_by(answers).values())
    failed = len(answers) - sum(numbers)
    share = ONE if len(numbers) == 1 else EVEN if len(set(numbers)) == 1 else ROUGH
    some = FAILED[0] if not failed else FAILED[1 if failed <= FEW * len(answers) else 2]
    first = "Right" if guesses["share"] == share else f'You said "{guesses["share"]}"'
    second = "right" if guesses["failed"] == some else f'you said "{guesses["failed"]}"'
    spread = f"from {min(numbers)} to {max(numbers)}" if numbers else "none"
    lines = [
        f"{first}: {len(answers) - failed} answers, {spread} a Pod. "
        f"{count(failed, 'request')} failed: {second}."
    ]
    if len(numbers) > 1 and ready:
        lines.append(
            "Each connection is a throw of the dice, not a turn in a round: equal chances, "
            "unequal counts."
        )
    if failed:
        said = ", ".join(f"{n} {outcome}" for outcome, n in failures(answers).items())
        lines.append(f"What failed: {said}.")
    return " ".join(lines)


def _workload(pod: Pod) -> str:
    """Return what is to be scaled, as "deployment/web" or "rs/web-x"."""
    owner = next(iter(pod.metadata.ownerReferences), None)
    if owner is None:
        return f"pod/{pod.metadata.name}"
    template = pod.metadata.labels.get("pod-template-hash", "")
    if owner.kind == "ReplicaSet" and template:
        return f"deployment/{owner.name.removesuffix(f'-{template}')}"
    return f"{owner.kind.lower()}/{owner.name}"
