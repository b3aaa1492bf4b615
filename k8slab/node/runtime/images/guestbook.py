"""The guestbook's front end: a page, and guestbook.php that talks to Redis.

`cmd=set&key=messages&value=...` writes to redis-master, `cmd=get&key=...` reads from
redis-replica; both names are resolved anew for every request, so that a request shows the whole
way: DNS, Service, Pod.

Upstream: kubernetes/examples web/guestbook php-redis
"""

from __future__ import annotations

import json

from k8slab.linux.errors import NetworkError
from k8slab.linux.resolver import ResolutionError
from k8slab.node import http
from k8slab.node.runtime.images import resp
from k8slab.node.runtime.images.redis import PORT as REDIS_PORT
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import access_line, serve_http

PORT = 80
CONNECT_TIMEOUT = 5.0  # s
SERVER = "Apache/2.4.41 (Ubuntu)"
PAGE = """<html ng-app="redis">
  <head><title>Guestbook</title></head>
  <body ng-controller="RedisCtrl"><h2>Guestbook</h2></body>
</html>
"""


async def frontend(process: Process) -> int:
    """Serve until SIGTERM."""

    async def answer(request: http.Request) -> http.Response:
        if request.path == "/guestbook.php":
            response = await _guestbook(process, request.query)
        elif request.path in ("/", "/index.html"):
            response = http.text(PAGE, content_type="text/html")
        else:
            response = http.text("Not Found\n", 404)
        process.log(access_line(process, request, response))
        return response

    process.memory = 30 << 20
    serve_http(process, PORT, answer)
    process.error(f"AH00163: {SERVER} configured -- resuming normal operations")
    return await process.until_sigterm()


async def _guestbook(process: Process, query: dict[str, str]) -> http.Response:
    key = query.get("key", "messages")
    writes = query.get("cmd") == "set"
    words = ["SET", key, query.get("value", "")] if writes else ["GET", key]
    host = host_of(process, "redis-master" if writes else "redis-replica")
    try:
        connection = await process.connect(host, REDIS_PORT, CONNECT_TIMEOUT)
        try:
            found = await resp.ask(connection, words)
        finally:
            connection.close()
    except (NetworkError, ResolutionError, resp.RedisError) as error:
        process.error(
            f"PHP Fatal error:  Uncaught Predis\\Connection\\ConnectionException: {error}"
        )
        return http.text(f"Connection to {host}:{REDIS_PORT} failed: {error}\n", 500)
    data = {"message": "Updated"} if writes else {"data": found or ""}
    return http.text(json.dumps(data), content_type="application/json")


def host_of(process: Process, service: str) -> str:
    """Return where a Service is: its name, or what its variable says if the manifest wants that."""
    if process.env.get("GET_HOSTS_FROM") == "env":
        return process.env.get(f"{service.upper().replace('-', '_')}_SERVICE_HOST", service)
    return service
