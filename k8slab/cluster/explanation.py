"""An explanation: what is so, the chain of causes behind it, and what to look at next.

`Finding` is one sentence with the objects that it is about and the functions that decided it. An
`Explanation` prints as text, shows itself as a figure, and has the live source of the decisions:
what you read there is what ran.

Rule of use: made by the `why_...` modules; `records` are the chain, the last effect first.

Upstream: none
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from k8slab.cluster.sentences import sentence
from k8slab.sim import Record

# Who decides by which function: component (without its node) -> module, function.
DECISIONS = {
    "kube-scheduler": ("k8slab.control_plane.scheduler.schedule_one", "schedule_pod"),
    "replicaset-controller": ("k8slab.control_plane.controllers.replica_set", "plan"),
    "deployment-controller": ("k8slab.control_plane.controllers.deployment", "plan"),
    "daemon-set-controller": ("k8slab.control_plane.controllers.daemon_set", "plan"),
    "statefulset-controller": ("k8slab.control_plane.controllers.stateful_set", "plan"),
    "node-controller": ("k8slab.control_plane.controllers.node_lifecycle.health", "judge"),
    "endpointslice-controller": ("k8slab.control_plane.controllers.endpoint_slice", "plan"),
    "kubelet": ("k8slab.node.kubelet.status", "pod_phase"),
    "kube-proxy": ("k8slab.node.kube_proxy", "render"),
    "coredns": ("k8slab.addons.coredns", "answer"),
    "ingress-nginx": ("k8slab.addons.ingress.ingress_rules", "rules"),
    "nginx-gateway": ("k8slab.addons.ingress.gateway_plan", "plan"),
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is so."""

    text: str  # a sentence without a full stop
    objects: tuple[str, ...] = ()  # "Service/default/web"
    decided_by: str = ""  # a component of DECISIONS
    next: tuple[str, ...] = ()  # commands that show more


class Explanation:
    """What is so, because of what, and where to look."""

    def __init__(
        self, subject: str, records: list[Record], findings: Iterable[Finding] = (), typed: str = ""
    ) -> None:
        self.subject = subject
        self.records = records
        self.findings = tuple(findings)
        self.typed = typed  # the command at the beginning of the chain, if the learner typed it

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects that have to do with it: "Pod/default/web"."""
        found = [name for finding in self.findings for name in finding.objects]
        about = [record.subject for record in self.records if record.subject.count("/")]
        return tuple(dict.fromkeys([*found, *about]))

    @property
    def revisions(self) -> tuple[int, ...]:
        """The revisions of the store that the chain is made of, newest first."""
        return tuple(record.revision for record in self.records if record.revision)

    @property
    def next(self) -> tuple[str, ...]:
        """Commands that show more."""
        return tuple(dict.fromkeys(step for finding in self.findings for step in finding.next))

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """The functions that decided, in the order of the text."""
        named = [finding.decided_by for finding in self.findings]
        named += [r.component for r in self.records if r.verb == "decide"]
        components = dict.fromkeys(name.partition("/")[0] for name in named)
        return tuple(_function(name) for name in components if name in DECISIONS)

    @property
    def source(self) -> str:
        """The source of these functions, as it runs."""
        return "\n\n".join(_source(function) for function in self.functions)

    @property
    def text(self) -> str:
        """Findings, chain and advice, a line each."""
        if not self.records and not self.findings:
            return f"Nothing in the trace is about {self.subject}."
        lines = []
        if self.findings:
            first, *rest = self.findings
            lines += [f"{self.subject}: {first.text}", *(f"  {each.text}" for each in rest)]
        if self.records:
            effect, *causes = self.records
            head = "  " if self.findings else f"{self.subject}: "
            lines += [head + sentence(effect)]
            lines += [f"  because {sentence(record)}" for record in causes]
            if self.typed:
                lines.append(f"  because you ran: {self.typed}")
        if self.next:
            lines.append(f"Look next at: {'; '.join(self.next)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def figure(self) -> Any:
        """Return the chain as a picture."""
        from k8slab.viz import why_graph

        return why_graph(self)


def _function(component: str) -> Callable[..., Any]:
    module, name = DECISIONS[component]
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _source(function: Callable[..., Any]) -> str:
    head = f"# {function.__module__}.{function.__qualname__}"
    try:
        return f"{head}\n{inspect.getsource(function)}"
    except OSError:
        return f"{head}\n# its source is not here"
