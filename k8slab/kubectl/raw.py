"""`kubectl get --raw PATH`: one GET of the API server, by the path of its URL.

Rule of use: the paths of objects, lists and subresources that have a kind here; the answer is JSON.

Upstream: staging/src/k8s.io/kubectl/pkg/rawhttp/raw.go
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import msgspec

from k8slab.api import codec, errors
from k8slab.api.scheme import AGGREGATED, KINDS, OTHER_VERSIONS, Resource
from k8slab.client import Listing
from k8slab.kubectl.invocation import Invocation

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?"
    r"(?:/(?P<subresource>[^/]+))?/?"
)


async def get_raw(call: Invocation) -> None:
    """Print what the API server answers to a GET of the path."""
    url = urlsplit(call.flags.text("raw"))
    match = _PATH.fullmatch(url.path)
    resource = _resource(call, match) if match is not None else None
    if match is None or resource is None:
        raise errors.no_such_path()
    query = {key: values[-1] for key, values in parse_qs(url.query).items()}
    answer = await call.request(
        "get" if match["name"] else "list",
        resource,
        namespace=match["namespace"] or "",
        name=match["name"] or "",
        subresource=match["subresource"] or "",
        label_selector=query.pop("labelSelector", ""),
        field_selector=query.pop("fieldSelector", ""),
        options=tuple(query.items()),
    )
    call.print(_text(answer, resource), end="")


def _resource(call: Invocation, match: re.Match[str]) -> Resource | None:
    group, version = match["group"] or "", match["core"] or match["version"]
    for resource in (*KINDS, *OTHER_VERSIONS, *AGGREGATED, *call.custom):
        if (resource.group, resource.version, resource.plural) == (group, version, match["plural"]):
            return resource
    return None


def _text(answer: object, resource: Resource) -> str:
    if isinstance(answer, Listing):
        listing = {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": answer.resource_version},
            "items": [codec.to_dict(item) for item in answer.items],
        }
        return msgspec.json.encode(listing).decode() + "\n"
    if isinstance(answer, msgspec.Struct):
        plain = codec.to_dict(answer)
        first = {"kind": plain.pop("kind", ""), "apiVersion": plain.pop("apiVersion", "")}
        return msgspec.json.encode({**first, **plain}).decode() + "\n"
    return str(answer)
