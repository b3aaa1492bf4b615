"""`kubectl logs` and `kubectl exec`: what a container said, and a command in it.

Both reach a container through the API server, which passes on to the node's kubelet. A workload
(`deploy/web`, `svc/web`) stands for the first of its Pods, a selector for all Pods that match.

Rule of use: `logs -f` follows until the time for watching is over, or the container has ended.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go, pkg/cmd/exec/exec.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.pods import is_pod_terminal
from k8slab.api.scheme import resource_for
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, Exit
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.pods_of import attachable_pod, list_pods
from k8slab.kubectl.resources import get_object

POLL = 1.0  # s, how often a followed log is looked at
LOGS_USAGE = """\
expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples"""
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
SELECTED_TAIL = 10  # lines of each Pod when a selector chooses many


async def logs(call: Invocation) -> None:
    """Print the logs of a Pod, or of all Pods that a selector matches."""
    selector = call.flags.text("selector")
    if selector and call.words:
        raise CommandError("only a selector (-l) or a POD name is allowed")
    if not selector and not 1 <= len(call.words) <= 2:
        raise CommandError(LOGS_USAGE)
    if selector:
        pods = await list_pods(call, selector)
        if not pods:
            call.say(f"No resources found in {call.namespace} namespace.")
    else:
        pods = [await _pod(call)]
    sources = [(pod, container) for pod in pods for container in _containers(call, pod)]
    if call.flags.on("follow"):
        return await _follow(call, sources, bool(selector))
    for pod, container in sources:
        options = _options(call, container, tail=_tail(call, bool(selector)))
        text = await _log(call, pod, options)
        call.print(_prefixed(call, pod, container, text), end="")


async def _pod(call: Invocation) -> Pod:
    if len(call.words) == 2 and call.flags.given("container"):
        raise CommandError("only one of -c or an inline [CONTAINER] arg is allowed")
    return await attachable_pod(call, call.words[0])


def _containers(call: Invocation, pod: Pod) -> list[str]:
    """Return the containers to print; says so if one was chosen among several."""
    names = [c.name for c in pod.spec.containers]
    known = [*(c.name for c in pod.spec.initContainers), *names]
    if call.flags.on("all-containers"):
        return known
    given = call.flags.text("container") or (call.words[1] if len(call.words) == 2 else "")
    if given:
        if given not in known:
            raise CommandError(f"container {given} is not valid for pod {pod.metadata.name}")
        return [given]
    return [default_container(call, pod)]


def default_container(call: Invocation, pod: Pod) -> str:
    """Return the container that is meant when none is named; says so if there are several."""
    names = [c.name for c in pod.spec.containers]
    annotated = pod.metadata.annotations.get(DEFAULT_CONTAINER, "")
    if annotated in names:
        return annotated
    if len(names) + len(pod.spec.initContainers) > 1:
        everyone = ", ".join([*names, *(f"{c.name} (init)" for c in pod.spec.initContainers)])
        call.say(f'Defaulted container "{names[0]}" out of: {everyone}')
    return names[0]


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
    return tuple(options)


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


async def _follow(call: Invocation, sources: list[tuple[Pod, str]], selected: bool) -> None:
    """Print what is new in each log, again and again; a container that ended has had its say."""
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
                new = _last_lines(text, _tail(call, selected))
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
    if not call.flags.on("prefix"):
        return text
    mark = f"[pod/{pod.metadata.name}/{container}] "
    return "".join(f"{mark}{line}\n" for line in text.splitlines())


async def exec_(call: Invocation) -> None:
    """Run a command in a container and end with its exit code."""
    words, dash = call.words, call.flags.dash
    if not words or dash == 0:
        raise CommandError("pod, type/name or --filename must be specified")
    if dash is None and len(words) > 1:
        raise CommandError(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
            "See 'kubectl exec -h' for help and examples"
        )
    command = words[1:]
    if not command:
        raise CommandError("you must specify at least one command for the container")
    pod = await attachable_pod(call, words[0])
    if is_pod_terminal(pod):
        raise CommandError(
            f"cannot exec into a container in a completed pod; current phase is {pod.status.phase}"
        )
    container = call.flags.text("container")
    known = [c.name for c in (*pod.spec.containers, *pod.spec.initContainers)]
    if container and container not in known:
        raise CommandError(f"container {container} not found in pod {pod.metadata.name}")
    await _exec(call, pod, container or default_container(call, pod), command)


async def _exec(call: Invocation, pod: Pod, container: str, command: tuple[str, ...]) -> None:
    options = [("container", container), *(("command", word) for word in command)]
    answer: Any = await call.request(
        "create",
        resource_for(Pod),
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        subresource="exec",
        options=tuple(options),
        body=call.stdin if call.flags.on("stdin") else "",
    )
    call.print(answer.stdout, end="")
    if answer.stderr:
        call.say(answer.stderr.removesuffix("\n"))
    if answer.exit_code:
        text = f"command terminated with exit code {answer.exit_code}\n"
        raise Exit(text, answer.exit_code)


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
EXEC = Command(
    exec_,
    (
        Flag("container", "c"),
        Flag("pod-running-timeout", kind="duration", default="1m0s"),
        flag_on("stdin", "i"),
        flag_on("tty", "t"),
        flag_on("quiet", "q"),
    ),
)
