"""crictl: what the runtime has, as text. It asks the runtime, not the API server.

`run(containerd, "crictl ps -a")` knows ps, pods, images and logs: enough to see that a container
goes on although nobody can reach the API server.

Rule of use: it only looks.

Upstream: sigs.k8s.io/cri-tools cmd/crictl
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import RUNNING, SANDBOX_READY, ContainerStatus, RuntimeFailed

if TYPE_CHECKING:
    from k8slab.node.runtime.containerd import Containerd

SHORT = 13  # digits of an id
MIN_WIDTH, PADDING = 20, 3  # of a column, as Go's tabwriter is told
MINUTE, HOUR, DAY = 60, 3600, 86400  # s
USAGE = "usage: crictl ps [-a] [--name NAME] [--pod ID] | pods | images | logs [--tail N] CONTAINER"


def run(containerd: Containerd, command: str) -> str:
    """Return what the command prints."""
    words = command.split()
    words = words[1:] if words[:1] == ["crictl"] else words
    options = _options(words[1:])
    if words[:1] == ["ps"]:
        return ps(containerd, options)
    if words[:1] == ["pods"]:
        return pods(containerd)
    if words[:1] == ["images"] or words[:1] == ["img"]:
        return images(containerd)
    if words[:1] == ["logs"] and len(words) > 1:
        return logs(containerd, words[-1], options)
    return USAGE


def ps(containerd: Containerd, options: dict[str, str]) -> str:
    """List containers, youngest first; those that have exited only with -a."""
    sandboxes = {sandbox.id: sandbox.config for sandbox in containerd.sandboxes()}
    rows = []
    for status in reversed(containerd.containers()):
        if status.state != RUNNING and "a" not in options:
            continue
        if options.get("name", "") not in status.config.name:
            continue
        if not status.sandbox_id.startswith(options.get("pod", "")):
            continue
        pod = sandboxes[status.sandbox_id]
        rows.append(
            (
                status.id[:SHORT], containerd.image_id(status.config.image)[7 : 7 + SHORT],
                _ago(containerd, status.created_at), status.state.capitalize(), status.config.name,
                str(status.config.attempt), status.sandbox_id[:SHORT], pod.name, pod.namespace,
            )
        )  # fmt: skip
    head = (
        "CONTAINER",
        "IMAGE",
        "CREATED",
        "STATE",
        "NAME",
        "ATTEMPT",
        "POD ID",
        "POD",
        "NAMESPACE",
    )
    return table(head, rows)


def pods(containerd: Containerd) -> str:
    """List sandboxes, youngest first."""
    rows = [
        (
            sandbox.id[:SHORT], _ago(containerd, sandbox.created_at),
            "Ready" if sandbox.state == SANDBOX_READY else "NotReady",
            sandbox.config.name, sandbox.config.namespace, str(sandbox.config.attempt), "(default)",
        )
        for sandbox in reversed(containerd.sandboxes())
    ]  # fmt: skip
    return table(("POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"), rows)


def images(containerd: Containerd) -> str:
    """List the images on the node by name."""
    rows = []
    for name, size in sorted(containerd.images()):
        reference = parse_reference(name)
        short = containerd.image_id(name)[7 : 7 + SHORT]
        rows.append((reference.repository, reference.tag or "<none>", short, human_size(size)))
    return table(("IMAGE", "TAG", "IMAGE ID", "SIZE"), rows)


def logs(containerd: Containerd, prefix: str, options: dict[str, str]) -> str:
    """Print the log of the container whose id begins so."""
    found = _container(containerd, prefix)
    if found is None:
        raise RuntimeFailed(
            "NotFound",
            "rpc error: code = NotFound desc = an error occurred when try to find container "
            f'"{prefix}": not found',
        )
    lines = [line.text for line in containerd.log(found.id)]
    tail = options.get("tail", "")
    return "\n".join(lines[-int(tail) :] if tail else lines)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return the rows below the head in columns, as Go's tabwriter sets them."""
    lines = [head, *rows]
    widths = [
        max(MIN_WIDTH, *(len(line[column]) + PADDING for line in lines))
        for column in range(len(head) - 1)
    ]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=True)) + line[-1]
        for line in lines
    )


def human_duration(seconds: float) -> str:
    """Return a duration as crictl and docker say it.

    >>> [human_duration(s) for s in (0.5, 40, 70, 600, 4000, 200000)]
    ['Less than a second', '40 seconds', 'About a minute', '10 minutes', 'About an hour', '2 days']
    """
    whole, hours = int(seconds), int(seconds / HOUR + 0.5)
    if whole < 1:
        return "Less than a second"
    if whole < MINUTE:
        return f"{whole} second{'s' * (whole > 1)}"
    if whole < HOUR:
        return "About a minute" if whole < 2 * MINUTE else f"{whole // MINUTE} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    days = hours // 24
    return f"{days} days" if days < 14 else f"{days // 7} weeks"


def human_size(size: int) -> str:
    """Return a size in three digits.

    >>> human_size(72_950_530), human_size(320_000)
    ('73MB', '320kB')
    """
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):  # noqa: B007 (the unit that is left is the result)
        if value < 1000:
            break
        value /= 1000
    return f"{value:.3g}{unit}"


def _ago(containerd: Containerd, when: float) -> str:
    return f"{human_duration(containerd.machine.sim.now - when)} ago"


def _container(containerd: Containerd, prefix: str) -> ContainerStatus | None:
    return next((each for each in containerd.containers() if each.id.startswith(prefix)), None)


def _options(words: list[str]) -> dict[str, str]:
    found = {}
    for number, word in enumerate(words):
        if word.startswith("-"):
            name, equals, value = word.lstrip("-").partition("=")
            following = words[number + 1] if number + 1 < len(words) else ""
            found[{"p": "pod"}.get(name, name)] = value if equals else following
    return found
