"""The scheduling board: nodes as bins, a Pod to place, and each plugin's verdict on each node.

    scheduling_board(cluster)

Set what the Pod asks for and where it may go, read the manifest, predict the node; the scheduler
then decides. The bins show what is requested of each node (not what is used), the table which
filter refused a node and what the others scored.

Rule of use: the verdict is that of the scheduler's own functions, a moment before it decides.

Upstream: none (kube-scheduler --v=10 logs some of it)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from k8slab.api.core import Node, Pod
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.packing import bin_packing
from k8slab.viz.stack import stack
from k8slab.viz.verdicts import scheduling_heat_map
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

LABEL = "made-on-the-board"
SECONDS = 5.0  # virtual, for the scheduler and the kubelet
NO_NODE = "no node: it stays Pending"
ANY = "any node"
TOGETHER, APART = "with its like on one node", "never with its like on one node"
NOTHING = "nothing"
ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


class Placing(Drivable, Protocol):
    """A cluster whose scheduler can be asked."""

    def explain(self, pod: Any) -> Any:
        """Say where the scheduler would put a Pod now."""


def scheduling_board(cluster: Placing) -> SchedulingBoard:
    """Return the board; its Pods live in namespace default."""
    return SchedulingBoard(cluster)


class SchedulingBoard(Trial):
    """Bins, and the verdict on the last Pod."""

    QUESTION = "On which node will it land?"
    GO = "Create the Pod"

    def __init__(self, cluster: Placing) -> None:
        nodes = cluster.view.list(Node)
        zones = dict.fromkeys(n.metadata.labels.get(ZONE, "") for n in nodes)
        places = [ANY, *(f"{ZONE}={zone}" for zone in zones if zone), f"{ZONE}=zone-x"]
        taints = ("nothing", "the control plane's taint")
        super().__init__(
            (
                Dial(name="cpu", words="requests.cpu", value="500m", width="190px"),
                Dial(name="memory", words="requests.memory", value="128Mi", width="220px"),
                Dial(name="place", words="nodeSelector", options=tuple(places), width="370px"),
                Dial(name="tolerates", words="tolerates", options=taints, width="270px"),
                Dial(name="like", words="runs", options=("beside anything", APART, TOGETHER),
                     width="290px"),
            ),
            (Dial(name="node", words="It lands on", width="330px",
                  options=(*(n.metadata.name for n in nodes), NO_NODE)),),
        )  # fmt: skip
        self.cluster = cluster
        self.made = 0
        self.verdict: Any = None  # the scheduler's Explanation of the last Pod

    def preview(self) -> str:
        """Return the manifest of the next Pod."""
        import yaml

        made = manifest(f"board-{self.made + 1}", self.values)
        text: str = yaml.safe_dump(made, sort_keys=False, default_flow_style=None, width=100)
        return text.strip()

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button that clears the board."""
        return (("Delete its Pods", self.clear, f"kubectl delete pods -l {LABEL}"),)

    def clear(self) -> None:
        """Delete all Pods that were made here."""
        said = self.cluster.kubectl(f"delete pods -l {LABEL} --now --wait=false")
        self.cluster.run(SECONDS)
        self.verdict = None
        self.say(f"{said.strip()}\n{self.QUESTION}")

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Ask the scheduler's functions, create the Pod, and compare."""
        name, text = f"board-{self.made + 1}", self.preview()
        said = self.cluster.kubectl("apply -f -", stdin=text).strip()
        if "created" not in said:
            raise ValueError(said)
        self.made += 1
        # Asked before the scheduler hears of the Pod: no virtual time passes in between.
        self.verdict = self.cluster.explain(f"pod/{name}")
        self.cluster.run(SECONDS)
        pod = self.cluster.view.get(Pod, name)
        return judge(guesses["node"], pod.spec.nodeName if pod is not None else "", self.verdict)

    # -- the picture

    def draw(self) -> Figure:
        """Draw the bins, and below them the verdict on the last Pod."""
        bins = bin_packing(self.cluster)
        if self.verdict is None:
            return bins
        table = scheduling_heat_map(self.verdict)
        drawing = stack(bins.drawing, table.drawing)
        return Figure(drawing, alt=f"{bins.alt} {table.alt}", text=f"{bins.text}\n{table.text}")


def manifest(name: str, dials: Mapping[str, str]) -> dict[str, Any]:
    """Return the Pod that the dials stand for."""
    wanted = {"cpu": dials["cpu"].strip(), "memory": dials["memory"].strip()}
    requests = {name: amount for name, amount in wanted.items() if amount}
    spec: dict[str, Any] = {"containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]}
    if requests:
        spec["containers"][0]["resources"] = {"requests": requests}
    if dials["place"] != ANY:
        key, _, value = dials["place"].partition("=")
        spec["nodeSelector"] = {key: value}
    if dials["tolerates"] != NOTHING:
        spec["tolerations"] = [{"key": CONTROL_PLANE, "operator": "Exists"}]
    if dials["like"] in (TOGETHER, APART):
        kind = "podAntiAffinity" if dials["like"] == APART else "podAffinity"
        term = {"labelSelector": {"matchLabels": {LABEL: "yes"}}, "topologyKey": HOSTNAME}
        spec["affinity"] = {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    metadata = {"name": name, "labels": {LABEL: "yes"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def judge(guess: str, node: str, verdict: Any) -> str:
    """Say how the guess came out, and why the Pod is where it is."""
    landed = node or NO_NODE
    lines = ["Right." if guess == landed else f"You said {guess}."]
    fitting = [name for name, each in verdict.nodes.items() if each.fits]
    if not node:
        return f"{lines[0]} No node fits: {verdict.event}"
    if len(fitting) == 1:
        return f"{lines[0]} It is on {node}, the only node that fits: nothing was scored."
    scored = f"{count(len(fitting), 'node')} fit"
    if guess in fitting and guess != node and guess in verdict.best:
        return f"{lines[0]} It could have been: {guess} and {node} are equal, and chance decided."
    if len(verdict.best) > 1:
        equals = ", ".join(verdict.best)
        return f"{lines[0]} {scored}; {equals} are equally good, and chance took {node}."
    return f"{lines[0]} {scored}, and {node} has the highest total, {verdict.nodes[node].total}."
