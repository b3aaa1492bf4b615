"""Reading a configuration: text, defaults, validation, in this order.

`parse(text)` returns a configuration that is complete and right, or raises `ConfigError` with
what kube-scheduler says before it exits.

Upstream: cmd/kube-scheduler/app/options/configfile.go, pkg/scheduler/apis/config/v1/defaults.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api import yaml_text
from k8slab.api.errors import FieldError
from k8slab.control_plane.scheduler.config.decoding import ConfigError, decode
from k8slab.control_plane.scheduler.config.default_plugins import default_plugins, merged
from k8slab.control_plane.scheduler.config.types import (
    API_VERSION,
    DEFAULT_SCHEDULER_NAME,
    KIND,
    KubeSchedulerConfiguration,
    KubeSchedulerProfile,
)
from k8slab.control_plane.scheduler.config.types_pluginargs import ARGS, decode_args
from k8slab.control_plane.scheduler.config.validation import validate

EXTENDERS = "extenders: the lab's scheduler asks no extenders; write a plugin instead"


def parse(text: str) -> KubeSchedulerConfiguration:
    """Return the configuration that a text describes; raises ConfigError."""
    try:
        documents = yaml_text.parse(text)
    except yaml_text.YamlError as error:
        raise ConfigError(f"error converting YAML to JSON: {error}") from None
    config = decode(
        documents[0] if documents else {}, KubeSchedulerConfiguration, KIND, API_VERSION
    )
    _check_args(config)
    config = defaulted(config)
    faults = validate(config)
    if faults:
        raise ConfigError(aggregated(faults))
    if config.extenders:
        raise ConfigError(EXTENDERS)
    return config


def defaulted(config: KubeSchedulerConfiguration) -> KubeSchedulerConfiguration:
    """Return the configuration with all that it leaves out.

    Only a single profile gets a name; of several each has to say its own.
    """
    profiles = config.profiles or (KubeSchedulerProfile(),)
    if len(profiles) == 1 and not profiles[0].schedulerName:
        profiles = (replace(profiles[0], schedulerName=DEFAULT_SCHEDULER_NAME),)
    complete = tuple(
        replace(each, plugins=merged(default_plugins(), each.plugins)) for each in profiles
    )
    return replace(config, profiles=complete)


def aggregated(faults: Sequence[FieldError]) -> str:
    """Return several faults as one text, each of them once."""
    texts = list(dict.fromkeys(str(each) for each in faults))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _check_args(config: KubeSchedulerConfiguration) -> None:
    """Raise ConfigError for arguments that are none of their plugin."""
    strict: list[str] = []
    for index, profile in enumerate(config.profiles):
        for number, each in enumerate(profile.pluginConfig):
            where = f"decoding .profiles[{index}].pluginConfig[{number}]"
            kind = each.args.get("kind") or f"{each.name}Args"
            group = (each.args.get("apiVersion") or API_VERSION).partition("/")[0]
            wanted = f"{each.name}Args.{API_VERSION.partition('/')[0]}"
            if each.name in ARGS and kind != f"{each.name}Args" and kind.endswith("Args"):
                text = f"args for plugin {each.name} were not of type {wanted}, got {kind}.{group}"
                raise ConfigError(f"{where}: {text}")
            try:
                decode_args(each.name, each.args)
            except ConfigError as error:
                text = f"decoding args for plugin {each.name}: {error}"
                if not str(error).startswith("strict"):
                    raise ConfigError(f"{where}: {text}") from None
                strict.append(f"{where}: strict decoding error: {text}")
    if strict:
        raise ConfigError(f"strict decoding error: {', '.join(strict)}")
