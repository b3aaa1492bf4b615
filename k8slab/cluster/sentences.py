"""Sentences: what happened and what is wrong, said so that a person who is new understands it.

Each function takes plain values and returns one sentence without a full stop. Nothing is looked up
here, and nothing is decided; that is done in the `why_...` modules.

Rule of use: a sentence about a fault says what was expected, what was found, and where.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.sim import Record

PAST = {
    "create": "created",
    "create binding": "bound",
    "update": "updated",
    "update status": "wrote the status of",
    "patch": "patched",
    "patch status": "wrote the status of",
    "delete": "marked for deletion",
    "remove": "removed",
    "decide": "decided about",
    "event": "reported about",
    "sync": "wrote",
    "patch scale": "scaled",
    "update scale": "scaled",
    "sandbox": "gave a network to",
    "start": "started a container of",
    "exit": "saw a container end in",
    "probe": "probed",
    "kill": "killed",
    "stop": "stopped",
    "break": "broke",
    "repair": "repaired",
    "cut off": "cut off",
    "connect": "connected",
}
SIGKILL, SIGTERM = 128 + 9, 128 + 15  # exit codes of processes that a signal ended
NOT_FOUND, CANNOT_RUN = 127, 126  # exit codes of a shell
IMAGE_FAULTS = (  # part of the message, what it means
    ("not found", "the registry has no such tag"),
    ("pull access denied", "the registry has no such repository, or keeps it private"),
    ("no such host", "the registry's name does not resolve"),
    ("i/o timeout", "the registry does not answer"),
    ("InvalidImageName", "the name is not well-formed"),
)
SHOWN = 5  # names in a list


def sentence(record: Record) -> str:
    """Return one record as a sentence.

    >>> sentence(Record(1, 2.5, "kube-scheduler", "create binding", "Pod/default/web", 0))
    'at 2.500 s kube-scheduler bound Pod/default/web'
    """
    verb = PAST.get(record.verb, record.verb)
    detail = f" ({record.detail})" if record.detail else ""
    return f"at {record.time:.3f} s {record.component} {verb} {record.subject}{detail}"


def listed(names: Sequence[str], nothing: str = "none") -> str:
    """Return names as a list that does not run on.

    >>> listed(["a", "b"]), listed([]), listed(list("abcdefg"))
    ('a, b', 'none', 'a, b, c, d, e and 2 more')
    """
    more = len(names) - SHOWN
    text = ", ".join(names[:SHOWN])
    return f"{text} and {more} more" if more > 0 else text or nothing


def times(count: int) -> str:
    """Return how often.

    >>> times(1), times(4)
    ('once', '4 times')
    """
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def ending(code: int, reason: str = "", message: str = "") -> str:
    """Say how a container ended.

    >>> ending(3, "Error"), ending(137, "OOMKilled")
    ('with exit code 3', 'because it used more memory than its limit (OOMKilled, exit code 137)')
    """
    if reason == "OOMKilled":
        return f"because it used more memory than its limit (OOMKilled, exit code {code})"
    meaning = {
        0: "exit code 0: it had nothing more to do",
        SIGKILL: f"exit code {SIGKILL}: SIGKILL",
        SIGTERM: f"exit code {SIGTERM}: SIGTERM, it was asked to end",
        NOT_FOUND: f"exit code {NOT_FOUND}: a command was not found",
        CANNOT_RUN: f"exit code {CANNOT_RUN}: a command could not be run",
    }.get(code, f"exit code {code}")
    return f"with {meaning}" + (f" ({message.strip()})" if message.strip() else "")


def crash_loop(container: str, restarts: int, end: str, back_off: str) -> str:
    """Say that a container ends again and again."""
    return (
        f"container {container} ends again and again: it was restarted {times(restarts)} and last "
        f"ended {end}; the kubelet waits longer each time before it starts it again ({back_off})"
    )


def image_fault(container: str, image: str, message: str) -> str:
    """Say that an image cannot be pulled, and what the message means.

    >>> print(image_fault("web", "nginx:9", "nginx:9: not found"))
    image nginx:9 of container web cannot be pulled: the registry has no such tag
    """
    known = (meaning for part, meaning in IMAGE_FAULTS if part in message)
    why = next(known, message)
    return f"image {image} of container {container} cannot be pulled: {why}"


def refused_by_nodes(verdicts: Sequence[tuple[str, str, Sequence[str]]]) -> list[str]:
    """Say of each node which plugin refused and why.

    >>> refused_by_nodes([("worker-1", "NodeResourcesFit", ["Insufficient cpu"])])
    ['node worker-1: NodeResourcesFit says "Insufficient cpu"']
    """
    return [
        f'node {node}: {plugin} says "{", ".join(reasons)}"' for node, plugin, reasons in verdicts
    ]


def no_match(service: str, selector: str, near: Sequence[str]) -> str:
    """Say that a Service's selector fits no Pod."""
    there = f"; the labels of Pods there are {listed(near)}" if near else "; there are no Pods"
    return f"{service} selects {selector}, and no Pod has these labels{there}"


def not_ready(service: str, selector: str, pods: Sequence[str]) -> str:
    """Say that a Service's Pods are there, and none is ready."""
    return f"{service} selects {selector}, and of its Pods none is ready: {listed(pods)}"


def no_service(name: str, namespace: str, elsewhere: Sequence[str], near: Sequence[str]) -> str:
    """Say that there is no Service of a name, and where one is that may be meant.

    >>> print(no_service("wbe", "default", [], ["web"]))
    there is no Service "wbe" in namespace default; did you mean web?
    """
    text = f'there is no Service "{name}" in namespace {namespace}'
    if elsewhere:
        return (
            f"{text}; one is in {listed(elsewhere)}: from elsewhere its name is "
            f"{name}.{elsewhere[0]}"
        )
    return f"{text}; did you mean {near[0]}?" if near else text


def wrong_port(service: str, port: int | str, ports: Sequence[str]) -> str:
    """Say that a Service has not got a port."""
    return f"{service} has no port {port}: it has {listed(ports)}"


def nobody_listens(pod: str, port: int, declared: Sequence[str]) -> str:
    """Say that a Pod was reached and nothing listens there."""
    return (
        f"the packet reached {pod}, where no process listens on port {port}; "
        f"its containers declare {listed(declared, 'no ports')}"
    )
