"""What the fields of the main kinds are for, a sentence each: what `kubectl explain` shows.

`sentence(struct, field)` looks for the field of that Struct, then for a field of that name
anywhere. Where nothing is said, the description of the field's own type stands in.

Rule of use: adding a sentence is adding a row to the table of its part of the API.

Upstream: staging/src/k8s.io/api/*/*/types_swagger_doc_generated.go
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.field_docs.anywhere import ANYWHERE
from k8slab.api.field_docs.network import NETWORK
from k8slab.api.field_docs.pods import PODS
from k8slab.api.field_docs.workloads import WORKLOADS

OF_STRUCTS: Mapping[str, Mapping[str, str]] = {**PODS, **WORKLOADS, **NETWORK}


def sentence(struct: str, field: str) -> str:
    """Return what a field of a Struct is for, "" if nobody said.

    >>> sentence("DeploymentSpec", "replicas")
    'How many Pods there should be; 1 if nothing is said.'
    """
    return OF_STRUCTS.get(struct, {}).get(field) or ANYWHERE.get(field, "")
