"""Having the image before a container starts: pull policy, Events, and the pull back-off.

A failed pull is ErrImagePull; until its back-off is over, further passes say ImagePullBackOff
without asking the registry. Neither the restart policy nor the restart count has to do with it.

Rule of use: `ensure` returns when the image is here, or raises why it is not.

Upstream: pkg/kubelet/images/image_manager.go
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Container, ObjectReference, Pod
from k8slab.api.duration import go_duration
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import ImagePullFailed
from k8slab.node.kubelet.backoff import INITIAL_BACKOFF, Backoff
from k8slab.node.kubelet.container import container_reference
from k8slab.node.kubelet.dependencies import (
    SYNC_ERROR_BACKOFF,
    TRANSIENT_BACKOFF,
    ContainerNotStarted,
    Dependencies,
)

NORMAL, WARNING = "Normal", "Warning"


def pull_policy(container: Container) -> str:
    """Return Always, IfNotPresent or Never; by default Always for the tag latest."""
    if container.imagePullPolicy:
        return container.imagePullPolicy
    return "Always" if parse_reference(container.image).tag == "latest" else "IfNotPresent"


class ImageManager:
    """The images of one node."""

    def __init__(self, deps: Dependencies, on_pull: Callable[[], None]) -> None:
        self._deps = deps
        self._on_pull = on_pull  # hears of each image that arrived
        self._backoff = Backoff()
        self._last_error: dict[str, str] = {}

    async def ensure(self, pod: Pod, container: Container) -> None:
        """Pull the image if the policy asks for it. Raises ContainerNotStarted."""
        image, deps = container.image, self._deps
        about = container_reference(pod, container)
        try:
            parse_reference(image)
        except ValueError as error:
            message = (
                f'Failed to apply default image tag "{image}": '
                f'couldn\'t parse image name "{image}": {error}'
            )
            deps.recorder.event_about(about, WARNING, "InspectFailed", message)
            raise ContainerNotStarted("InvalidImageName", message) from None
        policy = pull_policy(container)
        present = bool(deps.images.image_id(image))
        if present and policy != "Always":
            message = (
                f'Container image "{image}" already present on machine '
                "and can be accessed by the pod"
            )
            deps.recorder.event_about(about, NORMAL, "Pulled", message)
            return
        if policy == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            deps.recorder.event_about(about, WARNING, "ErrImageNeverPull", message)
            raise ContainerNotStarted("ErrImageNeverPull", message)
        await self._pull(pod.metadata.uid, image, about)

    def forget(self, uid: str) -> None:
        """Drop the back-offs of a Pod that is gone."""
        self._backoff.forget(f"{uid}_")
        for key in [key for key in self._last_error if key.startswith(f"{uid}_")]:
            del self._last_error[key]

    async def _pull(self, uid: str, image: str, about: ObjectReference) -> None:
        deps, key = self._deps, f"{uid}_{image}"
        wait = self._backoff.remaining_since_update(key, deps.sim.now)
        if wait > 0:
            message = f'Back-off pulling image "{image}"'
            deps.recorder.event_about(about, NORMAL, "BackOff", message)
            raise ContainerNotStarted(
                "ImagePullBackOff", f"{message}: {self._last_error[key]}", wait
            )
        deps.recorder.event_about(about, NORMAL, "Pulling", f'Pulling image "{image}"')
        begun = deps.sim.now
        try:
            await deps.images.pull_image(image)
        except ImagePullFailed as error:
            self._failed(key, image, about, str(error))
        self._on_pull()
        took = go_duration(deps.sim.now - begun)
        message = (
            f'Successfully pulled image "{image}" in {took} ({took} including waiting). '
            f"Image size: {deps.images.size(image)} bytes."
        )
        deps.recorder.event_about(about, NORMAL, "Pulled", message)

    def _failed(self, key: str, image: str, about: ObjectReference, error: str) -> None:
        message = f'Failed to pull image "{image}": {error}'
        self._deps.recorder.event_about(about, WARNING, "Failed", message)
        now = self._deps.sim.now
        self._backoff.next(key, now, now)
        self._last_error[key] = f"ErrImagePull: {error}"
        # The pass that the new sandbox itself causes comes at once after the first failure.
        first = self._backoff.get(key) == INITIAL_BACKOFF
        raise ContainerNotStarted(
            "ErrImagePull", error, TRANSIENT_BACKOFF if first else SYNC_ERROR_BACKOFF
        )
