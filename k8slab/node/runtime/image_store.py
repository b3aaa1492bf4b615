"""The images on one node, and pulling more of them: the other half of the CRI.

Pulling takes the time that the image's size needs, one image after another, as the kubelet's
default has it. A registry's refusal comes back in containerd's words.

Rule of use: `image_id` says whether an image is here; only `pull_image` asks a registry.

Upstream: containerd internal/cri/server/images, kubelet --serialize-image-pulls
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8slab.client.latency import Latency
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import ImageAuth
from k8slab.node.runtime.images.image import Image
from k8slab.node.runtime.images.registry import ImageRegistry
from k8slab.sim import Simulation


class ImageStore:
    """What the node has pulled; the names are complete references."""

    def __init__(
        self, sim: Simulation, node: str, registry: ImageRegistry, latency: Latency
    ) -> None:
        self._sim = sim
        self._component = f"containerd/{node}"
        self._registry = registry
        self._latency = latency
        self._images: dict[str, Image] = {}

    def image(self, name: str) -> Image | None:
        """Return the image, None if it is not on this node."""
        return self._images.get(str(parse_reference(name)))

    def image_id(self, image: str) -> str:
        """Return the id of an image on this node, "" if it is not here."""
        found = self.image(image)
        return found.id if found is not None else ""

    def size(self, image: str) -> int:
        """Return the size in bytes of an image on this node."""
        found = self.image(image)
        return found.size if found is not None else 0

    def user(self, image: str) -> int:
        """Return as whom an image on this node runs, 0 for root."""
        found = self.image(image)
        return found.user if found is not None else 0

    def files(self, image: str) -> Mapping[str, str]:
        """Return the files of an image on this node, by path."""
        found = self.image(image)
        return found.files if found is not None else {}

    def images(self) -> list[tuple[str, int]]:
        """Return (name, size in bytes) of all images on this node, in order of arrival."""
        return [(name, image.size) for name, image in self._images.items()]

    def remove_unused(self, used: Iterable[str]) -> None:
        """Remove all images but these."""
        kept = [str(parse_reference(name)) for name in used]
        for name in [name for name in self._images if name not in kept]:
            del self._images[name]

    async def pull_image(self, image: str, auth: ImageAuth | None = None) -> str:
        """Fetch the image and return its id; raises ImagePullFailed."""
        name = str(parse_reference(image))
        await self._sim.sleep(self._latency.image_pull_start, f"{self._component}: ask for {name}")
        found = self._registry.resolve(name, auth)
        here = self._images.get(name)
        if here is None or here.digest != found.digest:
            seconds = found.size / self._latency.image_pull_bytes_per_second
            await self._sim.sleep(seconds, f"{self._component}: pull {name}")
            self._sim.trace.add(self._component, "pull", f"Image/{name}", f"{found.size} bytes")
        self._images[name] = found
        return found.id
