"""The autopath plugin: the server walks the client's search path, in the client's place.

    client asks    example.com.default.svc.cluster.local
    server tries   ... svc.cluster.local, cluster.local, the node's searches, example.com
    client gets    a CNAME to the first name that exists: one question instead of four

It has to know in which namespace the client is, from its address: so it works with `pods verified`
only, and each Pod of the cluster is kept in the server's memory.

Rule of use: pure.

Upstream: coredns plugin/autopath, plugin/kubernetes/autopath.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.addons.coredns.records import Answer, Record


def search_path(namespace: str, zone: str, host: Sequence[str]) -> tuple[str, ...]:
    """Return the search path of a Pod: of its namespace, of the cluster, of the node, and none."""
    cluster = (f"{namespace}.svc.{zone}", f"svc.{zone}", zone)
    return (*cluster, *(f"{each.rstrip('.')}." for each in host), "")


def candidates(name: str, path: Sequence[str]) -> tuple[str, ...]:
    """Return the names to try for a question, none if it is not one of a search path.

    >>> candidates("web.shop.svc.example.", ("shop.svc.example.", "example.", ""))
    ('web.shop.svc.example.', 'web.example.', 'web.')
    """
    if not path or not name.endswith(f".{path[0]}"):
        return ()
    base = name.removesuffix(f".{path[0]}")
    return tuple(f"{base}.{ending}" for ending in path)


def told(name: str, found: str, answer: Answer) -> Answer:
    """Return the answer to another name as one to the name that was asked for."""
    if found == name or not answer.answers:
        return answer
    ttl = answer.answers[0].ttl
    return replace(answer, answers=(Record(name, "CNAME", ttl, found), *answer.answers))
