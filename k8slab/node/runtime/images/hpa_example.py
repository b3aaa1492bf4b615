"""hpa-example: a page that costs a lot of processor time, for the lesson on autoscaling.

Upstream: kubernetes/examples hpa-example (index.php: a million square roots, then "OK!")
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import access_line, serve_http

CPU = 0.1  # s, a million square roots in PHP


async def main(process: Process) -> int:
    """Serve until SIGTERM."""

    async def answer(request: http.Request) -> http.Response:
        await process.compute(CPU)
        response = http.text("OK!", content_type="text/html")
        process.log(access_line(process, request, response))
        return response

    serve_http(process, 80, answer)
    return await process.until_sigterm()
