"""The volumes of a Pod: folders that its containers find at their mount paths.

emptyDir is a new folder, hostPath a place on the machine's disk, a claim what it is bound to; the
files of an image are pulled when a container that mounts them starts (kuberuntime_container.py);
configMap, secret, downwardAPI and projected are files made from objects, made anew when the objects
change (but not under a subPath). Folders lie on the machine's disk below var/lib/kubelet/pods/UID,
so a restarted kubelet finds them.

Rule of use: `mount` before the first container of a Pod starts, `unmount` when the last has gone.

Upstream: pkg/volume/{emptydir,configmap,secret,downwardapi,projected,hostpath,local}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from k8slab.api.core import (
    ConfigMap,
    Container,
    DownwardAPIVolumeFile,
    HostPathVolumeSource,
    KeyToPath,
    Pod,
    Secret,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from k8slab.node.folder import Folder
from k8slab.node.interfaces import Mount
from k8slab.node.kubelet.claims import claimed, folder_of, place_of
from k8slab.node.kubelet.dependencies import Dependencies, SyncFailed
from k8slab.node.kubelet.env import expand, values_of, variables_in
from k8slab.node.kubelet.node_status_setters import allocatable
from k8slab.node.kubelet.object_cache import NotSynced, ObjectCache
from k8slab.node.kubelet.pod_fields import pod_field, resource_field

PODS_FOLDER = "var/lib/kubelet/pods"
MOUNT_BACKOFF = (0.5, 122.0)  # s, nestedpendingoperations: first and longest wait, doubling
TERMINATION_LOG = "termination-log"
DEFAULT_TERMINATION_MESSAGE_PATH = "/dev/termination-log"
Files = dict[str, str]


class MountFailed(Exception):  # noqa: N818 (upstream: FailedMount)
    """The volume cannot be set up; the message is the plugin's."""


class Mounted(msgspec.Struct, frozen=True):
    """A volume that is there: a folder, and where in it the volume begins."""

    folder: Folder
    path: str = ""
    generated: bool = False  # its files are made from objects
    read_only: bool = False  # whatever the mount says: an image's files


class VolumeManager:
    """The volumes of all Pods of one node."""

    def __init__(
        self, deps: Dependencies, objects: ObjectCache, on_write: Callable[[], None]
    ) -> None:
        self._deps = deps
        self._on_write = on_write  # something was written to a volume that has a limit
        self._objects = objects
        self._waits: dict[str, float] = {}  # by Pod uid

    async def mount(self, pod: Pod) -> dict[str, Mounted]:
        """Return the Pod's volumes by name, all of them there and up to date.

        Raises SyncFailed after an Event that says which volume is missing and why.
        """
        mounted = {}
        for volume in pod.spec.volumes:
            try:
                mounted[volume.name] = await self._set_up(pod, volume)
            except (MountFailed, NotSynced, ValueError) as error:
                message = f'MountVolume.SetUp failed for volume "{volume.name}" : {error}'
                self._deps.recorder.event(pod, "Warning", "FailedMount", message)
                raise SyncFailed(message, self._next_wait(pod.metadata.uid)) from None
        self._waits.pop(pod.metadata.uid, None)
        return mounted

    def empty_dirs(self, pod: Pod) -> dict[str, Folder]:
        """Return the Pod's emptyDir volumes that are there."""
        files, uid = self._deps.machine.disk.files, pod.metadata.uid
        found = {
            volume.name: files.get(f"{PODS_FOLDER}/{uid}/volumes/{volume.name}")
            for volume in pod.spec.volumes
            if volume.emptyDir is not None
        }
        return {name: folder for name, folder in found.items() if isinstance(folder, Folder)}

    def unmount(self, uid: str) -> None:
        """Remove the Pod's folders; what lies on the host's own paths stays."""
        self._waits.pop(uid, None)
        for path in self._deps.machine.disk.list(f"{PODS_FOLDER}/{uid}"):
            self._deps.machine.disk.remove(path)

    def _next_wait(self, uid: str) -> float:
        first, longest = MOUNT_BACKOFF
        wait = self._waits.get(uid, first)
        self._waits[uid] = min(wait * 2, longest)
        return wait

    async def _set_up(self, pod: Pod, volume: Volume) -> Mounted:
        if volume.hostPath is not None:
            return self._host_path(volume.hostPath)
        if volume.persistentVolumeClaim is not None:
            return await self._claimed(pod, volume.persistentVolumeClaim.claimName)
        if volume.ephemeral is not None:
            return await self._claimed(pod, f"{pod.metadata.name}-{volume.name}")
        folder = self._folder(pod, volume.name)
        limited = volume.emptyDir is not None and volume.emptyDir.sizeLimit is not None
        if limited and not folder.watchers:
            folder.watchers.append(lambda path: self._on_write())
        files = await self._files(pod, volume)
        if files is not None and files != folder.files:
            folder.files.clear()
            folder.files.update(files)
        return Mounted(folder, generated=files is not None)

    async def _claimed(self, pod: Pod, name: str) -> Mounted:
        volume = await claimed(self._deps.client, pod, name)
        place = place_of(volume)
        if place is not None:
            return self._host_path(place)
        return Mounted(folder_of(self._deps.machine.disk, volume))

    def _folder(self, pod: Pod, name: str) -> Folder:
        path = f"{PODS_FOLDER}/{pod.metadata.uid}/volumes/{name}"
        folder = self._deps.machine.disk.files.get(path)
        if not isinstance(folder, Folder):
            folder = Folder()
            self._deps.machine.disk.write(path, folder)
        return folder

    def _host_path(self, source: HostPathVolumeSource) -> Mounted:
        disk, path = self._deps.machine.disk, source.path.strip("/")
        is_file = path in disk.files
        if source.type == "FileOrCreate" and not is_file:
            disk.write(path, "")
        elif source.type == "File" and not is_file:
            raise MountFailed(f"hostPath type check failed: {source.path} is not a file")
        elif source.type == "Directory" and not disk.list(path):
            raise MountFailed(f"hostPath type check failed: {source.path} is not a directory")
        return Mounted(disk, path)

    async def _files(self, pod: Pod, volume: Volume) -> Files | None:
        """Return what the volume's files must be, None if they are not ours to write."""
        if volume.configMap is not None:
            cm = volume.configMap
            return await self._object(pod, ConfigMap, cm.name, cm.items, bool(cm.optional))
        if volume.secret is not None:
            secret = volume.secret
            return await self._object(
                pod, Secret, secret.secretName, secret.items, bool(secret.optional)
            )
        if volume.downwardAPI is not None:
            return self._downward(pod, volume.downwardAPI.items)
        if volume.projected is not None:
            files: Files = {}
            for source in volume.projected.sources:
                files.update(await self._projection(pod, source))
            return files
        return None

    async def _projection(self, pod: Pod, source: VolumeProjection) -> Files:
        if source.configMap is not None:
            cm = source.configMap
            return await self._object(pod, ConfigMap, cm.name, cm.items, bool(cm.optional))
        if source.secret is not None:
            secret = source.secret
            return await self._object(pod, Secret, secret.name, secret.items, bool(secret.optional))
        if source.downwardAPI is not None:
            return self._downward(pod, source.downwardAPI.items)
        if source.serviceAccountToken is not None:
            return {source.serviceAccountToken.path: service_account_token(pod)}
        return {}

    async def _object(
        self,
        pod: Pod,
        kind: type[ConfigMap] | type[Secret],
        name: str,
        items: tuple[KeyToPath, ...],
        optional: bool,
    ) -> Files:
        meta = pod.metadata
        obj: ConfigMap | Secret | None = await self._objects.get(
            kind,  # type: ignore[type-var]
            meta.namespace,
            name,
            meta.uid,
        )
        if obj is None:
            if optional:
                return {}
            raise MountFailed(f'{kind.__name__.lower()} "{name}" not found')
        return files_of(obj, items, optional=optional)

    def _downward(self, pod: Pod, items: tuple[DownwardAPIVolumeFile, ...]) -> Files:
        files = {}
        for item in items:
            if item.fieldRef is not None:
                files[item.path] = pod_field(
                    pod, item.fieldRef.fieldPath, host_ips=self._deps.host_ips, pod_ips=()
                )
            elif item.resourceFieldRef is not None:
                container = pod.spec.containers[0]
                files[item.path] = resource_field(
                    pod, container, item.resourceFieldRef, allocatable(self._deps)
                )
        return files


def files_of(
    obj: ConfigMap | Secret, items: tuple[KeyToPath, ...], *, optional: bool = False
) -> Files:
    """Return a ConfigMap's or Secret's keys as files, all or those that `items` choose."""
    values = values_of(obj)
    if not items:
        return values
    files = {}
    for item in items:
        if item.key in values:
            files[item.path] = values[item.key]
        elif not optional:
            kind = "configmap" if isinstance(obj, ConfigMap) else "secret"
            word = "config" if isinstance(obj, ConfigMap) else "secret"
            raise MountFailed(f"{kind} references non-existent {word} key: {item.key}")
    return files


def service_account_token(pod: Pod) -> str:
    """Return the token by which the Pod's processes would be known to the API server.

    It names the ServiceAccount in plain words: the lab has no keys to sign it with.
    """
    name = pod.spec.serviceAccountName or "default"
    return f"system:serviceaccount:{pod.metadata.namespace}:{name}"


def termination_message(container: Container, mounts: Iterable[Mount]) -> str:
    """Return what the container has left in its termination message file."""
    path = container.terminationMessagePath or DEFAULT_TERMINATION_MESSAGE_PATH
    for mount in mounts:
        if mount.container_path == path:
            return str(mount.folder.files.get(mount.sub_path, ""))
    return ""


def _sub_path(mount: VolumeMount, env: dict[str, str]) -> str:
    """Return which part of the volume is mounted. Raises ValueError in upstream's words."""
    if not mount.subPathExpr:
        return mount.subPath
    missing = [name for name in variables_in(mount.subPathExpr) if name not in env]
    if missing:
        raise ValueError(f'missing value for "{missing[0]}"')
    path = expand(mount.subPathExpr, env)
    if path.startswith("/"):
        raise ValueError(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise ValueError(f"unable to provision SubPath `{path}`: must not contain '..'")
    return path


def make_mounts(
    container: Container, mounted: dict[str, Mounted], env: dict[str, str]
) -> tuple[Mount, ...]:
    """Return the container's mounts. Raises ValueError in upstream's words.

    One more is the file in which the container may leave a last message.
    """
    last_words = Folder()
    last_words.write(TERMINATION_LOG, "")
    path = container.terminationMessagePath or DEFAULT_TERMINATION_MESSAGE_PATH
    mounts = [Mount(path, last_words, sub_path=TERMINATION_LOG)]
    for mount in container.volumeMounts:
        volume = mounted.get(mount.name)
        if volume is None:
            raise ValueError(
                f"cannot find volume {mount.name!r} to mount into container {container.name!r}"
            )
        sub_path = _sub_path(mount, env)
        folder = volume.folder
        if sub_path and volume.generated:
            # A subPath mount shows the files as they were when the container started.
            folder = Folder()
            folder.files.update(volume.folder.files)
        path = "/".join(part for part in (volume.path, sub_path.strip("/")) if part)
        read_only = mount.readOnly or volume.read_only
        mounts.append(Mount(mount.mountPath, folder, read_only, path))
    return tuple(mounts)
