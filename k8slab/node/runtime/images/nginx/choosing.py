"""Which server and which location a request is for: nginx's most asked about rules.

The server: those that listen on the port; of them the one with the host's exact name, else the
longest name with a leading star, else the longest with a trailing star, else the first pattern;
else the default one. The location: an exact one (`=`); else remember the longest prefix; if that
has `^~`, it is the one; else the first pattern that matches; else the prefix.

    >>> from k8slab.node.runtime.images.nginx.config import Block, Location
    >>> have = [Location(m, p, Block()) for m, p in (
    ...     ("", "/"), ("", "/api/"), ("^~", "/static/"), ("~*", "[.]png$"), ("=", "/api/"))]
    >>> [str(location_for(have, path).modifier) or "prefix" for path in (
    ...     "/x", "/api/", "/api/a.png", "/static/a.png")]
    ['prefix', '=', '~*', '^~']

Rule of use: pure.

Upstream: nginx src/http/ngx_http_core_module.c (ngx_http_core_find_location),
src/http/ngx_http_request.c (ngx_http_find_virtual_server)
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.node.runtime.images.nginx.config import Location, Server, search


def server_for(servers: Sequence[Server], port: int, host: str) -> Server:
    """Return the server of a port that a request for a host goes to."""
    here = [s for s in servers if any(listen.port == port for listen in s.listens)]
    best = [(_rank(name, host), server) for server in here for name in server.names]
    best = [found for found in best if found[0] > (0, 0)]
    if best:
        return max(best, key=lambda found: found[0])[1]  # of equals the first
    defaults = [s for s in here if any(ls.default and ls.port == port for ls in s.listens)]
    return (defaults or here)[0]


def _rank(name: str, host: str) -> tuple[int, int]:
    """Return how well a name fits, (0, 0) if not at all."""
    if name == host:
        return 4, 0
    if name.startswith(".") and (host == name[1:] or host.endswith(name)):
        return 3, len(name)
    if name.startswith("*.") and host.endswith(name[1:]):
        return 3, len(name)
    if name.endswith(".*") and host.startswith(name[:-1]):
        return 2, len(name)
    if name.startswith("~") and search(name[1:], host):
        return 1, 0
    return 0, 0


def location_for(locations: Sequence[Location], path: str) -> Location | None:
    """Return the location of a path, None if no location is for it."""
    for location in locations:
        if location.modifier == "=" and location.pattern == path:
            return location
    prefixes = [
        location
        for location in locations
        if location.modifier in ("", "^~") and path.startswith(location.pattern)
    ]
    best = max(prefixes, key=lambda location: len(location.pattern), default=None)
    inner = location_for(best.locations, path) if best is not None else None
    if inner is not None:
        return inner
    if best is None or best.modifier != "^~":
        for location in locations:
            if location.modifier in ("~", "~*") and location.matches(path):
                return location_for(location.locations, path) or location
    return best


def location_named(locations: Sequence[Location], name: str) -> Location | None:
    """Return the location with that name (@name)."""
    return next((loc for loc in locations if loc.modifier == "@" and loc.pattern == name), None)
