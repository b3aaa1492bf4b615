"""The same run in a mutant world: what would have happened if a belief were true.

    world = what_if(cluster, "readiness restarts")
    print(world)                        # where the two runs part, and how each goes on
    world.cluster.kubectl("get pods")   # the mutant itself, to look around in

Rule of use: commands that name a Pod may miss it in the mutant, as it may have got another name.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from k8slab.classroom import page
from k8slab.classroom.mistakes import AskedWrongError
from k8slab.viz.style import PURPLE

if TYPE_CHECKING:
    from k8slab.classroom.mutants import Mutant
    from k8slab.cluster import Cluster
    from k8slab.cluster.diff import Difference
    from k8slab.cluster.recording import Input
    from k8slab.sim import Record, Trace

SHOWN = 3  # records of each world
SHOWN_ANSWERS = 8


class Printed(NamedTuple):
    """What a command in a container said."""

    command: str
    lines: tuple[str, ...]


class Lived(NamedTuple):
    """A cluster, and what was heard from it while it lived."""

    cluster: Cluster
    served: list[str]  # who answered each request
    printed: list[Printed]  # by `kubectl exec`


class WhatIf:
    """A run, the same run in a mutant world, and where the two part."""

    def __init__(self, name: str, real: Lived, mutant: Lived) -> None:
        from k8slab.classroom.mutants import MUTANTS
        from k8slab.cluster.diff import difference

        self.name = name
        self.mutant = MUTANTS[name]
        self.cluster, self.served, _ = mutant  # the mutant world, and who answered there
        self.really_served = real.served
        pairs = zip(real.printed, mutant.printed, strict=True)
        self.printed = [(here, there) for here, there in pairs if here != there]
        traces = (_without_counts(lived.cluster.trace, self.mutant) for lived in (real, mutant))
        self.difference: Difference = difference(*traces)

    @property
    def lines(self) -> list[str]:
        """What was tried, where the worlds part, and how each goes on."""
        head = f"Suppose it were so: {self.mutant.belief}"
        when = self.difference.time
        if when is None and self.served == self.really_served and not self.printed:
            return [head, "This run would have been the same, to the last record."]
        rows = ["In such a cluster the same requests are answered by others."]
        if when is not None:
            rows = [f"In such a cluster the same run parts from ours at {when:.3f} s."]
        for where, records in (("here", self.difference.left), ("there", self.difference.right)):
            rows += [f"  {where:5}  {_told(record)}" for record in records[:SHOWN]]
            if not records and when is not None:
                rows.append(f"  {where:5}  nothing")
        if self.served != self.really_served:
            rows += answers(self.really_served, self.served)
        if self.printed:
            rows += _outputs(*self.printed[-1])
        return [head, *rows]

    @property
    def text(self) -> str:
        """The same in one text."""
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return page.bundle(self.text, self.markup)

    @property
    def markup(self) -> str:
        """The same as HTML."""
        head, *rest = self.lines
        told = [line for line in rest if line.startswith("  ")]
        inside = page.paragraph(head, strong=True)
        inside += "".join(page.paragraph(line) for line in rest if line not in told)
        inside += page.listing("\n".join(told)) if told else ""
        return page.box(inside, PURPLE, "What if it were so")


def what_if(cluster: Cluster, name: str) -> WhatIf:
    """Return the cluster's run as it would have been in a mutant world of that name.

    Raises ValueError if there is no such mutant.
    """
    from k8slab.classroom.mutants import MUTANTS

    if name not in MUTANTS:
        near = get_close_matches(name, MUTANTS, 1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise AskedWrongError(f"expected one of {', '.join(MUTANTS)}, got {name!r}{hint}")
    mutant = MUTANTS[name]
    asked = any(each.do == "request" or _is_exec(each) for each in cluster.recording.inputs)
    real = _live(cluster, {}) if asked else Lived(cluster, [], [])  # no trace tells who answered
    return WhatIf(name, real, _live(cluster, {mutant.replaces: mutant.by}))


def _live(cluster: Cluster, changes: Mapping[str, Any]) -> Lived:
    """Live through what was done to a cluster, with these functions replaced."""
    from k8slab.cluster.fork import act

    made_of = dict(cluster.made_of)
    made_of["replace"] = {**(made_of["replace"] or {}), **changes}
    other = type(cluster)(**made_of, boot=False)
    other.world.registry.adopt(cluster.world.registry)
    lived = Lived(other, [], [])
    for each in cluster.recording.inputs:
        other.run(max(each.at.now - other.now, 0.0))
        if each.do == "request":
            lived.served.append(_answered(other, each))
        elif _is_exec(each):
            lived.printed.append(_print(other, each))
        else:
            act(other, each)
    other.run(max(cluster.now - other.now, 0.0))
    return lived


def _is_exec(each: Input) -> bool:
    """Say whether it is a command in a container, seen to its end."""
    return each.left is None and each.call.startswith("kubectl exec ")


def _print(cluster: Cluster, typed: Input) -> Printed:
    """Run a command in a container again and return what it prints."""
    text = ""
    with suppress(Exception):  # the learner saw it, and went on
        text = cluster.kubectl(*typed.args, **typed.options)
    return Printed(typed.call, tuple(line for line in text.splitlines() if line))


def _outputs(here: Printed, there: Printed) -> list[str]:
    """Return in three lines what a command printed in either world."""
    return [
        f"  `{here.command}` prints",
        *(f"  {where:5}  {', '.join(said.lines[:SHOWN_ANSWERS]) or 'nothing'}"
          for where, said in (("here", here), ("there", there))),
    ]  # fmt: skip


def _answered(cluster: Cluster, asked: Input) -> str:
    """Return who answered a request, or how it ended."""
    with suppress(Exception):  # the Pod that asks may not be there
        said = cluster.request(*asked.args, **asked.options)
        # "default/web-x on worker-1": the name is enough.
        return said.served_by.partition(" on ")[0].rpartition("/")[2] or said.outcome
    return "nobody asked"


def answers(here: Sequence[str], there: Sequence[str]) -> list[str]:
    """Return in two lines who answered in either world: the last requests that tell them apart.

    >>> answers(["a", "b"], ["a", "refused"])
    ['  here   requests 1 to 2 of 2: a, b', '  there  requests 1 to 2 of 2: a, refused']
    """
    end = max(len(here), len(there))
    differs = [n for n in range(end) if here[n : n + 1] != there[n : n + 1]]
    last = min(end, differs[-1] + SHOWN_ANSWERS // 2) if differs else end
    first = max(0, last - SHOWN_ANSWERS)
    which = f"requests {first + 1} to {last} of {end}"
    return [
        f"  {where:5}  {which}: {', '.join(served[first:last])}"
        for where, served in (("here", here), ("there", there))
    ]


def _without_counts(trace: Trace, mutant: Mutant) -> list[Record]:
    """Return the records without what a replaced kube-proxy cannot say: how much it wrote."""
    hidden = "kube-proxy/" if mutant.replaces == "kube_proxy" else "nobody"
    return [r for r in trace if not (r.verb == "sync" and r.component.startswith(hidden))]


def _told(record: Record) -> str:
    detail = f" ({record.detail})" if record.detail else ""
    return f"{record.time:.3f} s: {record.component} {record.verb} {record.subject}{detail}"
