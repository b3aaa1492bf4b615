"""`kubectl config`: the one cluster, the one user, and the namespace that commands are about.

Of what is in a kubeconfig only the namespace of the context can be changed; it is remembered as
long as this kubectl is there.

Rule of use: `call.around.settings` is what is remembered.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/config
"""

from __future__ import annotations

from k8slab.api.yaml_text import dump
from k8slab.client import ADMIN
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, Exit
from k8slab.kubectl.information import address_of_server
from k8slab.kubectl.invocation import CLUSTER, CONTEXT, Command, Invocation
from k8slab.kubectl.printers import to_json
from k8slab.kubectl.tabwriter import TABLE, lines


async def config_view(call: Invocation) -> None:
    """Print the configuration, with what is secret left out."""
    context = {"cluster": CLUSTER, "user": ADMIN}
    if call.around.settings.namespace:
        context["namespace"] = call.around.settings.namespace
    data = {
        "apiVersion": "v1",
        "clusters": [
            {
                "cluster": {
                    "certificate-authority-data": "DATA+OMITTED",
                    "server": await address_of_server(call),
                },
                "name": CLUSTER,
            }
        ],
        "contexts": [{"context": context, "name": CONTEXT}],
        "current-context": CONTEXT,
        "kind": "Config",
        "users": [
            {
                "name": ADMIN,
                "user": {
                    "client-certificate-data": "DATA+OMITTED",
                    "client-key-data": "DATA+OMITTED",
                },
            }
        ],
    }
    call.print(to_json(data) if call.flags.text("output") == "json" else dump(data), end="")


async def current_context(call: Invocation) -> None:
    """Print which cluster commands go to, and as whom."""
    call.print(CONTEXT)


async def get_contexts(call: Invocation) -> None:
    """Print the one context that there is."""
    for word in call.words:
        if word != CONTEXT:
            call.say(f"error: context {word} not found")
    if call.words and CONTEXT not in call.words:
        raise Exit("")
    if call.flags.text("output") == "name":
        return call.print(CONTEXT)
    rows = (
        ("CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"),
        ("*", CONTEXT, CLUSTER, ADMIN, call.around.settings.namespace),
    )
    call.print(lines("".join("\t".join(row) + "\n" for row in rows), TABLE), end="")


async def set_context(call: Invocation) -> None:
    """Set the namespace that commands are about when they name none."""
    named = call.words[0] if call.words else ""
    if not named and not call.flags.on("current"):
        raise CommandError("you must specify a non-empty context name or --current")
    if named not in ("", CONTEXT):
        raise CommandError(f"the lab has one context: {CONTEXT}")
    if call.flags.given("namespace"):
        call.around.settings.namespace = call.flags.text("namespace")
    call.print(f'Context "{CONTEXT}" modified.')


async def use_context(call: Invocation) -> None:
    """Go to another context: there is only one."""
    if len(call.words) != 1:
        raise CommandError(f"Unexpected args: [{' '.join(call.words)}]")
    if call.words[0] != CONTEXT:
        raise CommandError(f'no context exists with the name: "{call.words[0]}"')
    call.print(f'Switched to context "{CONTEXT}".')


COMMANDS = {
    "config view": Command(config_view, (Flag("output", "o"), flag_on("minify"), flag_on("raw"))),
    "config current-context": Command(current_context),
    "config get-contexts": Command(get_contexts, (Flag("output", "o"), flag_on("no-headers"))),
    "config set-context": Command(set_context, (flag_on("current"),)),
    "config use-context": Command(use_context),
}
