"""Label selectors of Pods, as the scheduler's plugins ask for them, often.

Interface: `selector_matches`.

Rule of use: a missing label selector matches nothing, an empty one everything.

Upstream: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go (LabelSelectorAsSelector)
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.meta import LabelSelector
from k8slab.api.node_affinity import requirement_matches


def selector_matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Say whether an object with these labels is selected."""
    if selector is None:
        return False
    for key, wanted in selector.matchLabels.items():
        if labels.get(key) != wanted:
            return False
    return all(requirement_matches(each, labels) for each in selector.matchExpressions)
