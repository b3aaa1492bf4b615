"""How a scheduler is configured: KubeSchedulerConfiguration, its defaults and what it may not say.

`parse` reads the text of a file, as `kube-scheduler --config` does; `defaulted` fills in what a
configuration leaves out. `types` and `types_pluginargs` have the fields, `default_plugins` the
plugins that are there if nobody says otherwise.

Rule of use: what is not simulated is refused, never ignored.

Upstream: pkg/scheduler/apis/config, staging/src/k8s.io/kube-scheduler/config/v1
"""

from k8slab.control_plane.scheduler.config.decoding import ConfigError
from k8slab.control_plane.scheduler.config.load import defaulted, parse
from k8slab.control_plane.scheduler.config.types import (
    DEFAULT_SCHEDULER_NAME,
    KubeSchedulerConfiguration,
    KubeSchedulerProfile,
)

__all__ = [
    "DEFAULT_SCHEDULER_NAME",
    "ConfigError",
    "KubeSchedulerConfiguration",
    "KubeSchedulerProfile",
    "defaulted",
    "parse",
]
