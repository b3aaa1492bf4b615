"""The content of a location: files, try_files, or a backend; who may see it; what is logged.

    request --server, location--> steps --> allowed? --> try_files --> proxy_pass or a file
                 ^                  |                        |
                 +--- rewrite ------+                        +--- another path, another look

Rule of use: `Answering.handle` takes a request and always answers.

Upstream: nginx src/http/ngx_http_core_module.c (the phases), modules/ngx_http_static_module.c
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from msgspec.structs import replace

from k8slab.node import http
from k8slab.node.runtime.images.nginx import logs, steps
from k8slab.node.runtime.images.nginx.choosing import location_for, location_named, server_for
from k8slab.node.runtime.images.nginx.config import Config, Location
from k8slab.node.runtime.images.nginx.pages import SERVER, error_page, redirect
from k8slab.node.runtime.images.nginx.places import is_folder, listing, place_of
from k8slab.node.runtime.images.nginx.proxy import forward
from k8slab.node.runtime.images.nginx.syntax import Directive
from k8slab.node.runtime.images.nginx.upstream import Group
from k8slab.node.runtime.images.nginx.visit import Visit
from k8slab.node.runtime.process import Process

MOST_REDIRECTS = 10  # inside of nginx: NGX_HTTP_MAX_URI_CHANGES
WITH_HEADERS = (200, 201, 204, 206, 301, 302, 303, 304, 307, 308)  # statuses of add_header
TYPES = {
    "html": "text/html", "htm": "text/html", "css": "text/css", "js": "application/javascript",
    "txt": "text/plain", "json": "application/json", "svg": "image/svg+xml", "xml": "text/xml",
    "png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "ico": "image/x-icon",
}  # fmt: skip


class Answering:
    """What the workers do with requests, under one configuration."""

    def __init__(self, process: Process, config: Config, groups: Mapping[str, Group]) -> None:
        self._process = process
        self._config = config
        self._groups = groups
        self._requests = 0

    async def handle(self, request: http.Request, port: int) -> http.Response:
        """Return the answer to a request that came to a port, and log it."""
        self._requests += 1
        host = request.header("Host").lower()
        host = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        server = server_for(self._config.servers, port, host)
        visit = Visit(self._process, self._config, server, request, port)
        answer = await self._answer(visit)
        if answer.status >= 400 or answer.status in (301, 302):
            answer = await self._own_page(visit, answer)
        visit.answer = answer = self._with_headers(visit, answer)
        logs.access(visit)
        return answer

    # -- the phases

    async def _answer(self, visit: Visit) -> http.Response:
        outcome = steps.run(visit, visit.server.block)
        if isinstance(outcome, http.Response):
            return outcome
        for _ in range(MOST_REDIRECTS + 1):
            location = location_for(visit.server.locations, visit.path)
            visit.block = location.block if location is not None else visit.server.block
            answer = await self._at(visit, location)
            if answer is not None:
                return answer
        return self._failed(visit, 500, "rewrite or internal redirection cycle")

    async def _at(self, visit: Visit, location: Location | None) -> http.Response | None:
        """Return the answer of a location, None to look for one again."""
        if location is not None:
            if location.modifier in ("~", "~*") and (found := location.matches(visit.path)):
                visit.captures = tuple(group or "" for group in found.groups())
                visit.set |= {name: value or "" for name, value in found.groupdict().items()}
            outcome = steps.run(visit, location.block)
            if isinstance(outcome, http.Response):
                return outcome
            if outcome == steps.AGAIN:
                return None
        if not _allowed(visit):
            return self._failed(visit, 403, "access forbidden by rule")
        for each in visit.block.own:
            if each.name == "try_files":
                tried = await self._try_files(visit, each, location)
                if not isinstance(tried, str):
                    return tried
                visit.path = tried
        return await self._content(visit, location)

    async def _content(self, visit: Visit, location: Location | None) -> http.Response | None:
        own = {each.name: each for each in visit.block.own}
        prefix = location.pattern if location is not None and not location.is_pattern else "/"
        if "proxy_pass" in own:
            given = own["proxy_pass"].args[0]
            return await forward(visit, given, prefix, self._groups, self._log_error)
        if "stub_status" in own:
            text = (
                f"Active connections: 1 \nserver accepts handled requests\n {self._requests} "
                f"{self._requests} {self._requests} \nReading: 0 Writing: 1 Waiting: 0 \n"
            )
            return http.text(text)
        return self._static(visit, location)

    async def _try_files(
        self, visit: Visit, line: Directive, location: Location | None
    ) -> http.Response | str | None:
        """Return the first path that has a file, what the last argument says, or None for that."""
        *candidates, last = line.args
        for candidate in candidates:
            path = visit.expand(candidate)
            place = place_of(visit, location, path)
            if path.endswith("/"):
                if visit.process.exists(place) and is_folder(visit, place):
                    return path
            elif visit.process.exists(place) and not is_folder(visit, place):
                return path
        if last.startswith("="):
            return error_page(int(last[1:]))
        if last.startswith("@"):
            return await self._named(visit, last)
        visit.path, question, args = visit.expand(last).partition("?")
        visit.args = args if question else visit.args
        return None

    async def _named(self, visit: Visit, name: str) -> http.Response:
        location = location_named(visit.server.locations, name)
        if location is None:
            return self._failed(visit, 500, f'could not find named location "{name}"')
        visit.block = location.block
        outcome = steps.run(visit, location.block)
        if isinstance(outcome, http.Response):
            return outcome
        return await self._content(visit, location) or error_page(500)

    # -- files

    def _static(self, visit: Visit, location: Location | None) -> http.Response | None:
        if visit.request.method not in ("GET", "HEAD"):
            return error_page(405)
        place = place_of(visit, location, visit.path)
        if visit.path.endswith("/"):
            return self._index(visit, location, place)
        try:
            contents = visit.process.read(place)
        except FileNotFoundError:
            if not visit.process.exists(place):
                text = f'open() "{place}" failed (2: No such file or directory)'
                return self._failed(visit, 404, text)
            query = f"?{visit.args}" if visit.args else ""
            host = visit.request.header("Host") or visit.host
            return redirect(301, f"{visit.value('scheme')}://{host}{visit.path}/{query}")
        name = place.rpartition("/")[2]
        kind = TYPES.get(name.rpartition(".")[2]) if "." in name else None
        kind = kind or visit.block.one("default_type", "text/plain")
        return http.Response(200, contents.encode(), {"Content-Type": kind})

    def _index(self, visit: Visit, location: Location | None, place: str) -> http.Response | None:
        """Look for one of the index files: a redirect inside of nginx."""
        names = [name for each in visit.block.all("index") for name in each.args]
        for name in names or ["index.html"]:
            if visit.process.exists(f"{place}{name}"):
                visit.path += name
                return None
        if not visit.process.exists(place):
            text = f'"{place}index.html" is not found (2: No such file or directory)'
            return self._failed(visit, 404, text)
        if visit.block.one("autoindex") == "on":
            return listing(visit, place)
        return self._failed(visit, 403, f'directory index of "{place}" is forbidden')

    # -- the end

    async def _own_page(self, visit: Visit, answer: http.Response) -> http.Response:
        """Return the page that error_page names for the status."""
        for each in visit.block.all("error_page"):
            *codes, page = each.args
            told = codes.pop() if codes and codes[-1].startswith("=") else ""
            if str(answer.status) not in codes:
                continue
            if "://" in page:
                return redirect(302, visit.expand(page))
            if page.startswith("@"):
                found = await self._named(visit, page)
            else:
                visit.path = visit.expand(page)
                found = await self._answer_page(visit) or answer
            if told == "=":
                return found
            return replace(found, status=int(told[1:]) if told else answer.status)
        return answer

    async def _answer_page(self, visit: Visit) -> http.Response | None:
        location = location_for(visit.server.locations, visit.path)
        visit.block = location.block if location is not None else visit.server.block
        if location is not None:
            outcome = steps.run(visit, location.block)
            if isinstance(outcome, http.Response):
                return outcome
        found = await self._content(visit, location)
        return None if found is None or found.status >= 400 else found

    def _with_headers(self, visit: Visit, answer: http.Response) -> http.Response:
        visit.answer = answer
        hidden = visit.block.one("server_tokens") == "off"
        headers = {"Server": "nginx" if hidden else SERVER, **answer.headers}
        for each in visit.block.all("add_header"):
            if answer.status in WITH_HEADERS or each.args[-1] == "always":
                value = visit.expand(each.args[1])
                if value:
                    headers[each.args[0]] = value
        return replace(answer, headers=headers)

    def _failed(self, visit: Visit, status: int, text: str) -> http.Response:
        names = visit.server.names
        host = visit.request.header("Host")
        self._log_error(
            visit,
            f"{text}, client: {visit.request.remote}, server: {names[0] if names else ''}, "
            f'request: "{visit.value("request")}"' + (f', host: "{host}"' if host else ""),
        )
        return error_page(status)

    def _log_error(self, visit: Visit, text: str) -> None:
        logs.error(self._process, f"*{self._requests} {text}")


def _allowed(visit: Visit) -> bool:
    """Say whether allow and deny let the client in: the first line that fits decides."""
    rules = [each for name in ("allow", "deny") for each in visit.block.all(name)]
    client = ipaddress.ip_address(visit.request.remote or "127.0.0.1")
    for each in sorted(rules, key=lambda found: found.line):
        who = each.args[0]
        if who == "all" or client in ipaddress.ip_network(who, strict=False):
            return each.name == "allow"
    return True
