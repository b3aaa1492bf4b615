"""In which form an answer is wanted, and in which a body came.

A client names the forms it can read in its Accept header, best first. Beside JSON and YAML it may
ask for a Table (what `kubectl get` prints), or for the metadata alone.

    Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json

Rule of use: `accepted(header)` chooses; ApiError 406 if nothing that was named can be had.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation
"""

from __future__ import annotations

import msgspec

from k8slab.api import errors
from k8slab.gateway.messages import JSON, YAML

PROTOBUF = "application/vnd.kubernetes.protobuf"
WRITABLE = {
    "*/*": JSON,
    "application/*": JSON,
    JSON: JSON,
    YAML: YAML,
    "text/yaml": YAML,
    "application/yaml": YAML,
}
VIEWS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})
DISCOVERY = frozenset({"APIGroupDiscoveryList"})
VERSIONS = frozenset({"v1", "v1beta1"})


class Form(msgspec.Struct, frozen=True):
    """A form of the answer: its media type, and as which kind it is shown ("" for its own)."""

    media_type: str = JSON
    view: str = ""
    group: str = ""
    version: str = ""

    @property
    def is_table(self) -> bool:
        """Whether a Table is wanted."""
        return self.view == "Table"

    @property
    def is_metadata(self) -> bool:
        """Whether only metadata are wanted."""
        return self.view.startswith("PartialObjectMetadata")


def accepted(header: str) -> Form:
    """Return the first form of the header that the gateway can write.

    >>> accepted("application/json;as=Table;v=v1;g=meta.k8s.io,application/json").is_table
    True
    >>> accepted("application/vnd.kubernetes.protobuf,application/json").media_type
    'application/json'
    """
    if not header.strip():
        return Form()
    for part in header.split(","):
        form = _form(part)
        if form is not None:
            return form
    known = ", ".join((JSON, YAML, PROTOBUF))
    raise errors.api_error(
        f"only the following media types are accepted: {known}", "NotAcceptable", 406
    )


def media_type(header: str) -> str:
    """Return the media type of a Content-Type header, without its parameters."""
    return header.partition(";")[0].strip().lower()


def _form(part: str) -> Form | None:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    given = dict(piece.split("=", 1) for piece in parameters if "=" in piece)
    writable = WRITABLE.get(name.lower())
    if writable is None:
        return None
    view, group, version = given.get("as", ""), given.get("g", ""), given.get("v", "")
    if view in VIEWS and group == "meta.k8s.io" and version in VERSIONS:
        return Form(writable, view, group, version)
    if view in DISCOVERY and group == "apidiscovery.k8s.io" and version == "v2":
        return Form(writable, view, group, version)
    return Form(writable) if not view else None
