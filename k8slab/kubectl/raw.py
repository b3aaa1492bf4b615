"""Plain HTTP: `kubectl get --raw PATH`, and what discovery says.

    get --raw /healthz                  delete --raw PATH
    create --raw PATH -f FILE           replace --raw PATH -f FILE

Rule of use: what comes back is printed as it came; a refusal is reported like any other.

Upstream: staging/src/k8s.io/kubectl/pkg/rawhttp/raw.go
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8slab.api import errors
from k8slab.api.meta import Status
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation

METHODS = {"get": "GET", "create": "POST", "replace": "PUT", "delete": "DELETE"}
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def raw(call: Invocation) -> None:
    """Print what the API server answers to a request of the path."""
    path = call.flags.text("raw")
    if not path.startswith("/"):
        problem = "empty url" if not path else "invalid URI for request"
        raise CommandError(f'--raw must be a valid URL path: parse "{path}": {problem}')
    call.print(await fetch(call, METHODS[call.path], path, _body(call)), end="")


def _body(call: Invocation) -> bytes:
    files = call.flags.all("filename")
    if call.path in ("get", "delete"):
        return b""
    if len(files) != 1:
        raise CommandError("--raw can only use a single local file or stdin")
    if files[0] == "-":
        return call.stdin.encode()
    try:
        return call.around.read_file(files[0]).encode()
    except OSError:
        raise CommandError(f"open {files[0]}: no such file or directory") from None


async def discovered(call: Invocation) -> list[dict[str, Any]]:
    """Return the groups that are served, each with its versions and their resources."""
    groups: list[dict[str, Any]] = []
    for path in ("/api", "/apis"):
        text = await fetch(call, "GET", path, accept=DISCOVERY)
        groups += msgspec.json.decode(text)["items"]
    return groups


async def fetch(
    call: Invocation, method: str, url: str, body: bytes = b"", accept: str = "application/json"
) -> str:
    """Return the answer to a request over HTTP. Raises ApiError."""
    http = call.around.http
    if http is None:
        raise errors.no_such_path()
    headers = {"accept": accept}
    user = call.flags.text("as")
    if user:
        headers["impersonate-user"] = user
    status, text = await http(method, url, body, headers)
    if status < 400:
        return text
    try:
        raise errors.ApiError(msgspec.json.decode(text.encode(), type=Status))
    except msgspec.MsgspecError:
        if status == 404:
            raise errors.no_such_path() from None
        message = f"an error on the server ({text!r}) has prevented the request from succeeding"
        raise errors.api_error(message, "InternalError", status) from None
