"""`kubectl exec` and `kubectl attach`: a command in a container, and what its own process says.

Both reach a container through the API server, which passes on to the node's kubelet.

Rule of use: `exec -i` gives the command the stdin of the call; a terminal needs the real kubectl.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{exec,attach}
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
from k8slab.kubectl.logs import follow
from k8slab.kubectl.pods_of import attachable_pod, chosen_container


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
    pod = await attachable_pod(call, words[0], quiet=True)
    if is_pod_terminal(pod):
        raise CommandError(
            f"cannot exec into a container in a completed pod; current phase is {pod.status.phase}"
        )
    container = chosen_container(call, pod, call.flags.text("container"))
    await _exec(call, pod, container, command)


async def attach(call: Invocation) -> None:
    """Print what a container says from now on, until it ends."""
    if not call.words:
        raise CommandError("at least 1 argument is required for attach")
    if call.flags.on("stdin"):
        raise CommandError(
            "the lab has no keyboard to attach: see kubectl exec -i, or serve the cluster and use "
            "the real kubectl"
        )
    pod = await attachable_pod(call, call.words[0])
    if is_pod_terminal(pod):
        raise CommandError(
            f"cannot attach a container in a completed pod; current phase is {pod.status.phase}"
        )
    try:
        container = chosen_container(call, pod, call.flags.text("container"))
    except CommandError as error:
        raise CommandError(f"cannot attach to the container: {error.message}") from None
    await follow(call, [(pod, container)], tail=0)


async def _exec(call: Invocation, pod: Pod, container: str, command: tuple[str, ...]) -> None:
    options = [("container", container), *(("command", word) for word in command)]
    try:
        answer: Any = await call.request(
            "create",
            resource_for(Pod),
            namespace=pod.metadata.namespace,
            name=pod.metadata.name,
            subresource="exec",
            options=tuple(options),
            body=call.stdin if call.flags.on("stdin") else "",
        )
    except ApiError as error:
        if error.reason != "InternalError":
            raise
        raise CommandError(error.message) from None  # what came of it is said on the stream
    call.print(answer.stdout, end="")
    if answer.stderr:
        call.say(answer.stderr.removesuffix("\n"))
    if answer.exit_code:
        text = f"command terminated with exit code {answer.exit_code}\n"
        raise Exit(text, answer.exit_code)


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
ATTACH = Command(
    attach,
    (
        Flag("container", "c"),
        Flag("pod-running-timeout", kind="duration", default="1m0s"),
        flag_on("stdin", "i"),
        flag_on("tty", "t"),
        flag_on("quiet", "q"),
    ),
)
