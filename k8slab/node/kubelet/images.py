"""Having the image before a container starts: pull policy, pull secrets, Events, back-off.

A failed pull is ErrImagePull; until its back-off is over, further passes say ImagePullBackOff
without asking the registry. Neither the restart policy nor the restart count has to do with it.

An image that was pulled with somebody's credentials is not everybody's: a Pod without them asks
the registry again, though the image is here.

Rule of use: `ensure` returns when the image is here, or raises why it is not.

Upstream: pkg/kubelet/images/{image_manager,puller}.go, pkg/kubelet/images/pullmanager
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

from k8slab.api.core import Container, ImageVolumeSource, ObjectReference, Pod, Secret
from k8slab.api.duration import go_duration
from k8slab.client import reference_to
from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import ImageAuth, ImagePullFailed
from k8slab.node.kubelet.backoff import INITIAL_BACKOFF, Backoff
from k8slab.node.kubelet.container import container_reference
from k8slab.node.kubelet.credentials import look_up
from k8slab.node.kubelet.dependencies import (
    SYNC_ERROR_BACKOFF,
    TRANSIENT_BACKOFF,
    ContainerNotStarted,
    Dependencies,
)
from k8slab.node.kubelet.object_cache import NotSynced, ObjectCache
from k8slab.sim import Signal, Simulation

NORMAL, WARNING = "Normal", "Warning"
PULLED_FOLDER = "var/lib/kubelet/image_manager/pulled"  # who pulled what, on the machine's disk


def pull_policy(container: Container) -> str:
    """Return Always, IfNotPresent or Never; by default Always for the tag latest."""
    return container.imagePullPolicy or default_policy(container.image)


def default_policy(image: str) -> str:
    """Return how an image is pulled if nobody says: Always for the tag latest."""
    return "Always" if parse_reference(image).tag == "latest" else "IfNotPresent"


class ImageManager:
    """The images of one node."""

    def __init__(
        self, deps: Dependencies, objects: ObjectCache, on_pull: Callable[[], None]
    ) -> None:
        config = deps.config
        at_once = 1 if config.serialize_image_pulls else config.max_parallel_image_pulls
        self._deps = deps
        self._objects = objects
        self._on_pull = on_pull  # hears of each image that is new here
        self._turns = Turns(deps.sim, at_once)
        self._backoff = Backoff()
        self._last_error: dict[str, str] = {}

    async def ensure(self, pod: Pod, container: Container) -> None:
        """Pull the image if the policy asks for it. Raises ContainerNotStarted."""
        about = container_reference(pod, container)
        await self._ensure(pod, container.image, container.imagePullPolicy, about)

    async def ensure_volume(self, pod: Pod, source: ImageVolumeSource) -> None:
        """Pull the image that a volume is made of, as `ensure` does."""
        await self._ensure(pod, source.reference, source.pullPolicy, reference_to(pod))

    async def _ensure(self, pod: Pod, image: str, policy: str, about: ObjectReference) -> None:
        self._check_name(image, about)
        policy = policy or default_policy(image)
        present = bool(self._deps.images.image_id(image))
        auths = await self._credentials(pod, image)
        if present and policy != "Always" and self._may_use(image, auths):
            message = (
                f'Container image "{image}" already present on machine '
                "and can be accessed by the pod"
            )
            self._deps.recorder.event_about(about, NORMAL, "Pulled", message)
            return
        if policy == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            self._deps.recorder.event_about(about, WARNING, "ErrImageNeverPull", message)
            raise ContainerNotStarted("ErrImageNeverPull", message)
        await self._pull(pod.metadata.uid, image, about, auths)

    def forget(self, uid: str) -> None:
        """Drop the back-offs of a Pod that is gone."""
        self._backoff.forget(f"{uid}_")
        for key in [key for key in self._last_error if key.startswith(f"{uid}_")]:
            del self._last_error[key]

    def _check_name(self, image: str, about: ObjectReference) -> None:
        try:
            parse_reference(image)
        except ValueError as error:
            message = (
                f'Failed to apply default image tag "{image}": '
                f'couldn\'t parse image name "{image}": {error}'
            )
            self._deps.recorder.event_about(about, WARNING, "InspectFailed", message)
            raise ContainerNotStarted("InvalidImageName", message) from None

    # -- credentials

    async def _credentials(self, pod: Pod, image: str) -> list[ImageAuth]:
        """Return what the Pod's pull secrets have for the image's registry."""
        meta, secrets, missing = pod.metadata, [], []
        for reference in pod.spec.imagePullSecrets:
            try:
                found = await self._objects.get(Secret, meta.namespace, reference.name, meta.uid)
            except NotSynced:
                found = None
            if found is None:
                missing.append(reference.name)
            else:
                secrets.append(found)
        if missing:
            message = (
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); "
                "attempting to pull the image may not succeed."
            )
            reason = "FailedToRetrieveImagePullSecret"
            self._deps.recorder.event(pod, WARNING, reason, message)
        return look_up(image, secrets) if secrets else []

    def _may_use(self, image: str, auths: Sequence[ImageAuth]) -> bool:
        """Say whether an image that is here may be used without asking the registry."""
        record = self._deps.machine.disk.files.get(_record_of(image))
        if record is None:
            return True  # nobody needed credentials for it
        known = json.loads(record)["credentials"]
        return any(_fingerprint(auth) in known for auth in auths)

    def _remember(self, image: str, auth: ImageAuth | None) -> None:
        disk, path = self._deps.machine.disk, _record_of(image)
        if auth is None:
            disk.files.pop(path, None)
            return
        known = json.loads(disk.files.get(path, '{"credentials": []}'))["credentials"]
        credentials = list(dict.fromkeys([*known, _fingerprint(auth)]))
        disk.write(path, json.dumps({"image": image, "credentials": credentials}))

    # -- pulling

    async def _pull(
        self, uid: str, image: str, about: ObjectReference, auths: list[ImageAuth]
    ) -> None:
        deps, key = self._deps, f"{uid}_{image}"
        wait = self._backoff.remaining_since_update(key, deps.sim.now)
        if wait > 0:
            message = f'Back-off pulling image "{image}"'
            deps.recorder.event_about(about, NORMAL, "BackOff", message)
            raise ContainerNotStarted(
                "ImagePullBackOff", f"{message}: {self._last_error[key]}", wait
            )
        deps.recorder.event_about(about, NORMAL, "Pulling", f'Pulling image "{image}"')
        asked = deps.sim.now
        await self._turns.begin()
        begun, before = deps.sim.now, deps.images.image_id(image)
        try:
            await self._fetch(image, auths)
        except ImagePullFailed as error:
            self._failed(key, image, about, str(error))
        finally:
            self._turns.end()
        if deps.images.image_id(image) != before:
            self._on_pull()
        took, waited = (go_duration(deps.sim.now - since) for since in (begun, asked))
        message = (
            f'Successfully pulled image "{image}" in {took} ({waited} including waiting). '
            f"Image size: {deps.images.size(image)} bytes."
        )
        deps.recorder.event_about(about, NORMAL, "Pulled", message)

    async def _fetch(self, image: str, auths: list[ImageAuth]) -> None:
        """Try one after the other; without any, as nobody in particular."""
        errors = []
        for auth in auths or (None,):
            try:
                await self._deps.images.pull_image(image, auth)
            except ImagePullFailed as error:
                errors.append(str(error))
            else:
                self._remember(image, auth)
                return
        raise ImagePullFailed(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")

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


class Turns:
    """Who may pull now: first come, first served, so many at once (0: all)."""

    def __init__(self, sim: Simulation, at_once: int) -> None:
        self._sim = sim
        self._at_once = at_once
        self._busy = 0
        self._line: list[Signal] = []

    async def begin(self) -> None:
        """Wait for a turn."""
        if self._at_once and self._busy >= self._at_once:
            turn = Signal(self._sim, "kubelet: turn to pull")
            self._line.append(turn)
            try:
                await turn.wait()
            except BaseException:
                if turn in self._line:
                    self._line.remove(turn)
                else:
                    self.end()  # the turn had come, and nobody takes it
                raise
        else:
            self._busy += 1

    def end(self) -> None:
        """Hand the turn on."""
        if self._line:
            self._line.pop(0).set()
        else:
            self._busy -= 1


def _record_of(image: str) -> str:
    digest = hashlib.sha256(str(parse_reference(image)).encode()).hexdigest()
    return f"{PULLED_FOLDER}/sha256-{digest}"


def _fingerprint(auth: ImageAuth) -> str:
    return hashlib.sha256(f"{auth.username}:{auth.password}".encode()).hexdigest()
