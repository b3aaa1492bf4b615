"""Where a path leads in the file system: root, alias, folders.

Upstream: nginx src/http/ngx_http_core_module.c (ngx_http_map_uri_to_path),
src/http/modules/ngx_http_autoindex_module.c
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.node import http
from k8slab.node.runtime.images.nginx.config import Location, absolute
from k8slab.node.runtime.images.nginx.visit import Visit


def place_of(visit: Visit, location: Location | None, path: str) -> str:
    """Return the file that a path means: below root, or alias in the place of the location."""
    for each in visit.block.own:
        if each.name == "alias" and location is not None:
            given = visit.expand(each.args[0])
            if location.is_pattern:
                return given
            return given + path.removeprefix(location.pattern)
    return f"{absolute(visit.expand(visit.block.one('root', 'html'))).rstrip('/')}{path}"


def is_folder(visit: Visit, place: str) -> bool:
    """Say whether what is there is no file."""
    try:
        visit.process.read(place.rstrip("/"))
    except FileNotFoundError:
        return True
    return False


def listing(visit: Visit, place: str) -> http.Response:
    """List a folder as autoindex does, without dates."""
    folder, rest = visit.process.folder(place)
    inside = [path[len(rest) :].strip("/") for path in folder.list(rest)]
    names: Iterable[str] = dict.fromkeys(
        path.partition("/")[0] + ("/" if "/" in path else "") for path in inside
    )
    lines = "".join(f'<a href="{name}">{name}</a>\r\n' for name in names)
    page = (
        f"<html>\r\n<head><title>Index of {visit.path}</title></head>\r\n<body>\r\n"
        f'<h1>Index of {visit.path}</h1><hr><pre><a href="../">../</a>\r\n{lines}</pre><hr>'
        "</body>\r\n</html>\r\n"
    )
    return http.Response(200, page.encode(), {"Content-Type": "text/html"})
