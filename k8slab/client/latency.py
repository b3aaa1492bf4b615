"""How long things take that take no time in a simulation, in virtual seconds.

One table, so that a scenario can say `Latency(api_call=0.2)` and see what a slow API server does.
Periods and time-outs that are Kubernetes' own stand where they are used, named after their flag;
here stands only what depends on machines and wires.

Upstream: none; the sizes are those that small real clusters show
"""

from __future__ import annotations

import msgspec


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in virtual seconds, sizes in bytes."""

    api_call: float = 0.004  # a request to the API server and its answer, etcd's fsync included
    watch_delivery: float = 0.002  # from the write to the watcher
    container_start: float = 0.25  # create and start one container
    container_stop: float = 0.05  # from the death of the process until the runtime says so
    sandbox_start: float = 0.35  # the Pod's network namespace, CNI call included
    image_pull_start: float = 0.4  # asking the registry
    image_pull_bytes_per_second: float = 50e6
    iptables_restore: float = 0.02  # one write of the rules
    component_start: float = 0.6  # from the start of a control-plane process until it serves
