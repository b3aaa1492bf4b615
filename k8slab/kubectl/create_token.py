"""`kubectl create token ACCOUNT`: a token of a ServiceAccount, for some time.

Rule of use: the API server makes it; nothing is stored, so it cannot be got again.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_token.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api.core import ServiceAccount
from k8slab.api.errors import ApiError
from k8slab.api.scheme import resource_for
from k8slab.kubectl.changing import FORMATS
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.generators import one_name
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.printers import PRINT, plain, printer_for

BOUND = {"Node": "v1", "Pod": "v1", "Secret": "v1"}  # kinds, and their version


async def create_token(call: Invocation) -> None:
    """Print a new token."""
    name = one_name(call)
    output = call.flags.text("output")
    write = printer_for(call, FORMATS) if output and output != "name" else None
    spec = _spec(call)
    try:
        made = await call.request(
            "create",
            resource_for(ServiceAccount),
            namespace=call.namespace,
            name=name,
            subresource="token",
            body={"spec": spec},
            dry_run=False,
        )
    except ApiError as error:
        raise CommandError(f"failed to create token: {error.message}") from None
    if output == "name":
        return call.print(f"tokenrequest.authentication.k8s.io/{name}")
    if write is not None:
        return call.print(write(plain(made), True), end="")
    return call.print(made.status.token)


def _spec(call: Invocation) -> dict[str, Any]:
    flags = call.flags
    spec: dict[str, Any] = {"audiences": list(flags.all("audience"))}
    seconds = flags.seconds("duration") if flags.given("duration") else 0.0
    if seconds < 0:
        raise CommandError("--duration must be greater than or equal to 0")
    if seconds % 1:
        raise CommandError("--duration cannot be expressed in units less than seconds")
    if seconds:
        spec["expirationSeconds"] = int(seconds)
    kind = flags.text("bound-object-kind")
    if not kind:
        for flag in ("bound-object-name", "bound-object-uid"):
            if flags.text(flag):
                raise CommandError(f"--{flag} can only be set if --bound-object-kind is provided")
        return spec
    if kind not in BOUND:
        raise CommandError(f"supported --bound-object-kind values are {', '.join(BOUND)}")
    if not flags.text("bound-object-name"):
        raise CommandError("--bound-object-name is required if --bound-object-kind is provided")
    reference = {"kind": kind, "apiVersion": BOUND[kind], "name": flags.text("bound-object-name")}
    if flags.text("bound-object-uid"):
        reference["uid"] = flags.text("bound-object-uid")
    return {**spec, "boundObjectRef": reference}


CREATE_TOKEN = Command(
    create_token,
    (
        *PRINT,
        Flag("audience", kind="list"),
        Flag("duration", kind="duration", default="0"),
        Flag("bound-object-kind"),
        Flag("bound-object-name"),
        Flag("bound-object-uid"),
    ),
)
