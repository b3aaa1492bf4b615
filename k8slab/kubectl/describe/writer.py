"""Lines of a description: fields in columns, nested by two blanks a level.

    w.field("Name", "web"); w.line("Containers:"); w.line("app:", 1); w.field("Image", "nginx", 2)

Rule of use: `str(writer)` lines the columns up; labels and annotations have lines of their own.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from k8slab.api.core import Toleration
from k8slab.api.meta import EPOCH, Object, controller_of, seconds
from k8slab.kubectl.last_applied import LAST_APPLIED
from k8slab.kubectl.tabwriter import DESCRIBE, lines

NONE, UNSET = "<none>", "<unset>"
MAX_ANNOTATION = 140  # characters of a value on one line


class Writer:
    """Collects the lines of one description."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def __str__(self) -> str:
        return lines(self.raw(), DESCRIBE)

    def raw(self) -> str:
        """Return the lines with their tabs, as `rollout history` prints a template."""
        return "".join(self._text)

    def line(self, text: str, level: int = 0) -> None:
        """Write a line; tabs in it separate columns."""
        self._text.append(f"{'  ' * level}{text}\n")

    def field(self, name: str, value: Any, level: int = 0) -> None:
        """Write a field and its value."""
        self.line(f"{name}:\t{value}", level)

    def fields(self, fields: Mapping[str, Any], level: int = 0) -> None:
        """Write the fields whose value is not None."""
        for name, value in fields.items():
            if value is not None:
                self.field(name, value, level)

    def many(self, name: str, values: Iterable[str]) -> None:
        """Write a field with one line for each value."""
        title = f"{name}:"
        for value in tuple(values) or (NONE,):
            self.line(f"{title}\t{value}")
            title = ""

    def labels(self, name: str, labels: Mapping[str, str]) -> None:
        """Write labels, one a line."""
        self.many(name, (f"{key}={labels[key]}" for key in sorted(labels)))

    def annotations(self, name: str, annotations: Mapping[str, str]) -> None:
        """Write annotations, one a line; what `apply` remembers is left out, long ones are cut."""
        shown: list[str] = []
        for key in sorted(annotations):
            value = annotations[key].removesuffix("\n")
            if key == LAST_APPLIED:
                continue
            if len(key) + len(value) + 2 <= MAX_ANNOTATION and "\n" not in value:
                shown.append(f"{key}: {value}")
                continue
            shown.append(f"{key}:")
            shown += [f"  {_shortened(part, MAX_ANNOTATION - 2)}" for part in value.split("\n")]
        self.many(name, shown)

    def tolerations(self, name: str, tolerations: Iterable[Toleration]) -> None:
        """Write tolerations, one a line, sorted by key."""
        self.many(name, map(toleration_text, sorted(tolerations, key=lambda t: t.key)))

    def table(self, title: str, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Write a title and below it a table with dashes under its headings."""
        heads = tuple(headings)
        self.line(title)
        self.line("\t".join(heads), 1)
        self.line("\t".join("-" * len(head.strip()) for head in heads), 1)
        for row in rows:
            self.line("\t".join(row), 1)

    def heading(self, obj: Object, *, namespaced: bool = True) -> None:
        """Write name, namespace, labels and annotations, as most kinds begin."""
        self.field("Name", obj.metadata.name)
        if namespaced:
            self.field("Namespace", obj.metadata.namespace)
        self.labels("Labels", obj.metadata.labels)
        self.annotations("Annotations", obj.metadata.annotations)


def toleration_text(toleration: Toleration) -> str:
    """Write a toleration: "key=value:Effect op=Exists for 300s"."""
    text = toleration.key
    if toleration.value:
        text += f"={toleration.value}"
    if toleration.effect:
        text += f":{toleration.effect}"
    if toleration.operator == "Exists" and not toleration.value:
        text += " op=Exists" if text else "op=Exists"
    if toleration.tolerationSeconds is not None:
        text += f" for {toleration.tolerationSeconds}s"
    return text


def time_text(timestamp: str | None) -> str:
    """Write a timestamp as "Thu, 01 Jan 2026 00:00:11 +0000"."""
    if not timestamp:
        return "<unknown>"
    moment = EPOCH + timedelta(seconds=int(seconds(timestamp)))
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment:%d} {month} {moment:%Y %H:%M:%S} +0000"


# Not by strftime: its names follow the machine's language.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def controller_text(obj: Object) -> str | None:
    """Write the controller of an object: "ReplicaSet/web-5d4f"; None if it has none."""
    owner = controller_of(obj)
    return None if owner is None else f"{owner.kind}/{owner.name}"


def truth(value: object) -> str:
    """Write a truth value as descriptions do."""
    return "True" if value else "False"


def go_list(values: Iterable[Any]) -> str:
    """Write values as Go prints a slice: "[a b]"."""
    return f"[{' '.join(map(str, values))}]"


def pairs(mapping: Mapping[str, str]) -> str:
    """Write labels or the like in one line: "a=b,c=d"."""
    return ",".join(f"{key}={mapping[key]}" for key in sorted(mapping)) or NONE


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "..."
