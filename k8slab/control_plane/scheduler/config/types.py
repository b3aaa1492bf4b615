"""The fields of a KubeSchedulerConfiguration.

A configuration has profiles; a profile has a name, by which Pods choose it in `spec.schedulerName`,
a set of plugins for each extension point, and arguments for some of them. `multiPoint` stands for
all extension points that a plugin has.

Rule of use: zero values mean "not said" until `defaulted` has been at it.

Upstream: staging/src/k8s.io/kube-scheduler/config/v1/types.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.api.struct import Part, mapping

API_VERSION = "kubescheduler.config.k8s.io/v1"
KIND = "KubeSchedulerConfiguration"
DEFAULT_SCHEDULER_NAME = "default-scheduler"
ALL = "*"  # in `disabled`: every default plugin


class Plugin(Part):
    """A plugin by name; the weight is that of its score, 0 for the default one."""

    name: str = ""
    weight: int = 0


class PluginSet(Part):
    """What a profile changes about the default plugins of an extension point."""

    enabled: tuple[Plugin, ...] = ()
    disabled: tuple[Plugin, ...] = ()


class Plugins(Part):
    """The plugins of a profile by extension point."""

    preEnqueue: PluginSet = PluginSet()
    queueSort: PluginSet = PluginSet()
    preFilter: PluginSet = PluginSet()
    filter: PluginSet = PluginSet()
    postFilter: PluginSet = PluginSet()
    preScore: PluginSet = PluginSet()
    score: PluginSet = PluginSet()
    reserve: PluginSet = PluginSet()
    permit: PluginSet = PluginSet()
    preBind: PluginSet = PluginSet()
    bind: PluginSet = PluginSet()
    postBind: PluginSet = PluginSet()
    multiPoint: PluginSet = PluginSet()


EXTENSION_POINTS = tuple(name for name in Plugins.__struct_fields__ if name != "multiPoint")


class PluginConfig(Part):
    """The arguments of a plugin, whose fields are in `types_pluginargs`."""

    name: str = ""
    args: Mapping[str, Any] = mapping()


class KubeSchedulerProfile(Part):
    """A way to schedule, which Pods choose by its name."""

    schedulerName: str = ""
    percentageOfNodesToScore: int | None = None
    plugins: Plugins = Plugins()
    pluginConfig: tuple[PluginConfig, ...] = ()


class LeaderElectionConfiguration(Part):
    """Which Lease says who of several schedulers works."""

    leaderElect: bool | None = None
    leaseDuration: str = ""
    renewDeadline: str = ""
    retryPeriod: str = ""
    resourceLock: str = "leases"
    resourceName: str = "kube-scheduler"
    resourceNamespace: str = "kube-system"


class ClientConnectionConfiguration(Part):
    """How to reach the API server."""

    kubeconfig: str = ""
    acceptContentTypes: str = ""
    contentType: str = ""
    qps: float = 0
    burst: int = 0


class KubeSchedulerConfiguration(Part):
    """All that a scheduler is told when it starts."""

    apiVersion: str = ""
    kind: str = ""
    parallelism: int = 16
    leaderElection: LeaderElectionConfiguration = LeaderElectionConfiguration()
    clientConnection: ClientConnectionConfiguration = ClientConnectionConfiguration()
    enableProfiling: bool | None = None
    enableContentionProfiling: bool | None = None
    delayCacheUntilActive: bool = False
    percentageOfNodesToScore: int = 0  # 0: by the number of nodes
    podInitialBackoffSeconds: int = 1
    podMaxBackoffSeconds: int = 10
    profiles: tuple[KubeSchedulerProfile, ...] = ()
    extenders: tuple[Mapping[str, Any], ...] = ()
