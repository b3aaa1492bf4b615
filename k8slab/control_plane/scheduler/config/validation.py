"""What is wrong with a configuration, in kube-scheduler's words.

Interface: `validate`, which returns every fault of a configuration that `defaulted` completed.

Upstream: pkg/scheduler/apis/config/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8slab.api import codec
from k8slab.api.errors import FieldError, duplicate, invalid_value, required
from k8slab.control_plane.scheduler.config.types import (
    API_VERSION,
    EXTENSION_POINTS,
    KubeSchedulerConfiguration,
    KubeSchedulerProfile,
    PluginSet,
)
from k8slab.control_plane.scheduler.config.types_pluginargs import NodeResourcesFitArgs, decode_args
from k8slab.control_plane.scheduler.config.validation_pluginargs import validate_args

REMOVED = ("AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits")
VERSION = f'version "{API_VERSION}"'
WAS_REMOVED = f"was invalid in {VERSION} (KubeSchedulerConfiguration is {VERSION})"


def validate(config: KubeSchedulerConfiguration) -> list[FieldError]:
    """Return what is wrong, nothing if the configuration can be used."""
    return list(_faults(config))


def _faults(config: KubeSchedulerConfiguration) -> Iterator[FieldError]:
    election = config.leaderElection
    if election.leaderElect is not False and election.resourceLock != "leases":
        path, text = "leaderElection.resourceLock", 'resourceLock value must be "leases"'
        yield invalid_value(path, election.resourceLock, text)
    if config.parallelism <= 0:
        text = "should be an integer value greater than zero"
        yield invalid_value("parallelism", config.parallelism, text)
    names: dict[str, int] = {}
    for index, profile in enumerate(config.profiles):
        path = f"profiles[{index}]"
        yield from _profile(path, profile)
        if profile.schedulerName in names:
            first = f"profiles[{names[profile.schedulerName]}].schedulerName"
            yield duplicate(f"{path}.schedulerName", first)
        names[profile.schedulerName] = index
    yield from _queue_sort(config.profiles)
    yield from _percentage("percentageOfNodesToScore", config.percentageOfNodesToScore)
    initial, most = config.podInitialBackoffSeconds, config.podMaxBackoffSeconds
    if initial <= 0:
        yield invalid_value("podInitialBackoffSeconds", initial, "must be greater than 0")
    if most < initial:
        text = "must be greater than or equal to PodInitialBackoffSeconds"
        yield invalid_value("podMaxBackoffSeconds", most, text)


def _percentage(path: str, value: int | None) -> Iterator[FieldError]:
    if value is not None and not 0 <= value <= 100:
        yield invalid_value(path, value, "not in valid range [0-100]")


def _profile(path: str, profile: KubeSchedulerProfile) -> Iterator[FieldError]:
    if not profile.schedulerName:
        yield required(f"{path}.schedulerName")
    yield from _percentage(f"{path}.percentageOfNodesToScore", profile.percentageOfNodesToScore)
    for point in EXTENSION_POINTS:
        own: PluginSet = getattr(profile.plugins, point)
        for index, plugin in enumerate(own.enabled):
            if plugin.name in REMOVED:
                where = f"{path}.plugins.{point}.enabled[{index}]"
                yield invalid_value(where, plugin.name, WAS_REMOVED)
    seen: dict[str, None] = {}
    for index, each in enumerate(profile.pluginConfig):
        where = f"{path}.pluginConfig[{index}]"
        if each.name in seen:
            yield duplicate(where, each.name)
        seen[each.name] = None
        if each.name in REMOVED:
            yield invalid_value(where, each.name, WAS_REMOVED)
            continue
        args = decode_args(each.name, each.args)
        # Those of NodeResourcesFit are looked at when the plugin is made.
        if args is not None and not isinstance(args, NodeResourcesFitArgs):
            yield from validate_args(f"{where}.args", args)


def _queue_sort(profiles: Sequence[KubeSchedulerProfile]) -> Iterator[FieldError]:
    """Yield what differs: all profiles share one queue, which has one order."""
    common = profiles[0].plugins.queueSort
    if len(common.enabled) > 1:
        text = "only one queue sort plugin can be enabled"
        yield invalid_value("profiles[0].plugins.queueSort.Enabled", len(common.enabled), text)
    for index, profile in enumerate(profiles):
        own = profile.plugins.queueSort
        if own != common:
            text = "must be the same for all profiles"
            yield invalid_value(f"profiles[{index}].plugins.queueSort", codec.to_dict(own), text)
