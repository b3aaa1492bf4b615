"""`kubectl logs`: what containers said.

The API server passes on to the node's kubelet. A workload (`deploy/web`, `svc/web`) stands for the
first of its Pods, or with --all-pods for all of them; a selector for all Pods that match.

Rule of use: `logs -f` follows until the time for watching is over, or the container has ended.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go
"""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import seconds
from k8slab.api.pods import is_pod_terminal
from k8slab.api.scheme import resource_for
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.pods_of import chosen_container, containers_of, list_pods, pods_behind
from k8slab.kubectl.resources import get_object

POLL = 1.0  # s, how often a followed log is looked at
LOGS_USAGE = """\
expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples"""
SELECTED_TAIL = 10  # lines of each Pod when a selector chooses many


async def logs(call: Invocation) -> None:
    """Print the logs of a Pod, or of all Pods that a selector matches."""
    selector = call.flags.text("selector")
    if selector and call.words:
        raise CommandError(
            "only a selector (-l) or a POD name is allowed\n"
            "See 'kubectl logs -h' for help and examples"
        )
    if not selector and not 1 <= len(call.words) <= 2:
        raise CommandError(LOGS_USAGE)
    if call.flags.text("since-time") and call.flags.seconds("since"):
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if call.flags.number("tail") < -1:
        raise CommandError("--tail must be greater than or equal to -1")
    _check_time(call.flags.text("since-time"))
    if selector:
        pods = await list_pods(call, selector)
        if not pods:
            call.say(f"No resources found in {call.namespace} namespace.")
    else:
        pods = await _pods(call)
    sources = [(pod, container) for pod in pods for container in _containers(call, pod)]
    if call.flags.on("follow"):
        most = call.flags.number("max-log-requests")
        if len(sources) > most:
            raise CommandError(
                f"you are attempting to follow {len(sources)} log streams, but maximum allowed "
                f"concurrency is {most}, use --max-log-requests to increase the limit"
            )
        return await follow(call, sources, tail=_tail(call, bool(selector)))
    for pod, container in sources:
        options = _options(call, container, tail=_tail(call, bool(selector)))
        text = await _log(call, pod, options)
        call.print(_prefixed(call, pod, container, text), end="")


async def _pods(call: Invocation) -> list[Pod]:
    if len(call.words) == 2 and call.flags.given("container"):
        raise CommandError("only one of -c or an inline [CONTAINER] arg is allowed")
    every = call.flags.on("all-pods")
    try:
        return await pods_behind(call, call.words[0], every=every)
    except ApiError as error:
        if error.reason != "NotFound":
            raise
        raise CommandError(
            f'error from server (NotFound): {error.message} in namespace "{call.namespace}"'
        ) from None


def _containers(call: Invocation, pod: Pod) -> list[str]:
    """Return the containers to print; says so if one was chosen among several."""
    if call.flags.on("all-containers"):
        return [name for name, _ in containers_of(pod)]
    given = call.flags.text("container") or (call.words[1] if len(call.words) == 2 else "")
    return [chosen_container(call, pod, given)]


def _tail(call: Invocation, selected: bool) -> int:
    """Return how many lines of each log are wanted, -1 for all."""
    if selected and not call.flags.given("tail"):
        return SELECTED_TAIL
    return call.flags.number("tail")


def _options(call: Invocation, container: str, *, tail: int) -> tuple[tuple[str, str], ...]:
    flags = call.flags
    options = [("container", container)]
    if tail >= 0:
        options.append(("tailLines", str(tail)))
    if flags.on("previous"):
        options.append(("previous", "true"))
    if flags.on("timestamps"):
        options.append(("timestamps", "true"))
    if flags.seconds("since"):
        options.append(("sinceSeconds", f"{flags.seconds('since'):g}"))
    if flags.text("since-time"):
        options.append(("sinceTime", flags.text("since-time")))
    if flags.number("limit-bytes"):
        options.append(("limitBytes", flags.text("limit-bytes")))
    return tuple(options)


def _check_time(text: str) -> None:
    """Raise CommandError for what is no time, in Go's words."""
    try:
        seconds(text)
    except ValueError:
        layout = "2006-01-02T15:04:05Z07:00"
        raise CommandError(
            f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"'
        ) from None


async def _log(call: Invocation, pod: Pod, options: tuple[tuple[str, str], ...]) -> str:
    answer = await call.request(
        "get",
        resource_for(Pod),
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        subresource="log",
        options=options,
    )
    return str(answer)


async def follow(call: Invocation, sources: list[tuple[Pod, str]], *, tail: int) -> None:
    """Print the last lines (-1 for all) of each log, and then what is new, again and again.

    A container that ended has had its say.
    """
    until = call.now + call.around.watch_seconds
    read: dict[int, str] = {}
    open_ = list(range(len(sources)))
    while open_ and call.now < until:
        if read:
            await call.around.sleep(min(POLL, until - call.now))
        for index in tuple(open_):
            pod, container = sources[index]
            options = _options(call, container, tail=-1)
            text = await _log(call, pod, options)
            if index not in read:
                new = _last_lines(text, tail)
            elif text.startswith(read[index]):
                new = text[len(read[index]) :]
            else:  # another container took its place
                new = ""
                open_.remove(index)
            read[index] = text
            call.print(_prefixed(call, pod, container, new), end="")
        if await _all_ended(call, sources):
            return


def _last_lines(text: str, tail: int) -> str:
    lines = text.splitlines(keepends=True)
    return text if tail < 0 else "".join(lines[len(lines) - tail :] if tail < len(lines) else lines)


async def _all_ended(call: Invocation, sources: list[tuple[Pod, str]]) -> bool:
    for pod, _ in sources:
        try:
            now = await get_object(call, resource_for(Pod), pod.metadata.name)
        except ApiError:
            continue
        if not is_pod_terminal(now):
            return False
    return True


def _prefixed(call: Invocation, pod: Pod, container: str, text: str) -> str:
    if not (call.flags.on("prefix") or call.flags.on("all-pods")):
        return text
    mark = f"[pod/{pod.metadata.name}/{container}] "
    return "".join(f"{mark}{line}\n" for line in text.splitlines())


LOGS = Command(
    logs,
    (
        Flag("container", "c"),
        Flag("selector", "l"),
        Flag("tail", kind="int", default="-1"),
        Flag("since", kind="duration", default="0s"),
        Flag("since-time"),
        Flag("limit-bytes", kind="int", default="0"),
        Flag("max-log-requests", kind="int", default="5"),
        Flag("pod-running-timeout", kind="duration", default="20s"),
        flag_on("all-containers"),
        flag_on("all-pods"),
        flag_on("follow", "f"),
        flag_on("ignore-errors"),
        flag_on("prefix"),
        flag_on("previous", "p"),
        flag_on("timestamps"),
    ),
)
