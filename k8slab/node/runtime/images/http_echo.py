"""hashicorp/http-echo: answers every request with the same text.

Flags: -text (or $ECHO_TEXT), -listen (":5678"), -status-code (200).

Upstream: hashicorp/http-echo main.go
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.images.flags import parse_flags
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_http


async def main(process: Process) -> int:
    """Serve until SIGTERM."""
    flags = parse_flags(process.args[1:])
    text = flags.get("text") or process.env.get("ECHO_TEXT", "")
    if not text:
        process.error("Missing -text option!")
        return 127
    address = flags.get("listen", ":5678")
    answer = http.text(text + "\n", int(flags.get("status-code", "200")))

    def echo(request: http.Request) -> http.Response:
        process.log(
            f'{request.header("Host")} {request.remote} "{request.method} {request.target}"'
        )
        return answer

    serve_http(process, int(address.rpartition(":")[2]), echo)
    process.log(f"[INFO] server is listening on {address}")
    return await process.until_sigterm()
