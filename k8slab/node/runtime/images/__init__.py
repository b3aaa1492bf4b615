"""Images: each is a program, and the registry is where they come from.

Upstream: opencontainers/image-spec, opencontainers/distribution-spec
"""

from k8slab.node.image_reference import Reference, parse_reference
from k8slab.node.runtime.images.image import Image
from k8slab.node.runtime.images.registry import ImageRegistry

__all__ = ["Image", "ImageRegistry", "Reference", "parse_reference"]
