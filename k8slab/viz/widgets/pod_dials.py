"""What the dials of the Pod scope stand for: a manifest that anybody could have written.

`manifest(name, dials)` is the Pod's YAML. Its program waits until it has started up, writes
/tmp/ready, works on, and may end; its probes look for that file. So a probe that comes too early
fails, as in a real slow application.

Rule of use: pure; the Pod scope applies it with kubectl and looks.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.viz.widgets.trial import Dial

GOOD, MISSING = "busybox:1.37", "busybox:9.99"  # the second is not in its registry
STARTS = {"at once": 0, "5 s": 5, "20 s": 20, "60 s": 60}  # s, until it has started up
NEVER = "never"
ENDS = {
    NEVER: None,
    "after 10 s, exit code 0": (10, 0),
    "after 10 s, exit code 1": (10, 1),
    "at once, exit code 1": (0, 1),
}
NO_PROBE, ASKS, FAILS = "none", "asks for /tmp/ready", "asks for what is not there"
PROBES = (NO_PROBE, ASKS, FAILS)
STARTUP = (NO_PROBE, "every 5 s, 30 times")
DIALS = (
    Dial(name="image", words="image", options=(GOOD, MISSING), width="190px",
         tip="busybox:9.99 is not in the registry"),
    Dial(name="start", words="has started up", options=tuple(STARTS), width="200px"),
    Dial(name="end", words="ends", options=tuple(ENDS), width="230px"),
    Dial(name="restart", words="restartPolicy", options=("Always", "OnFailure", "Never"),
         width="210px"),
    Dial(name="readiness", words="readiness", options=PROBES, width="240px"),
    Dial(name="liveness", words="liveness", options=PROBES, width="240px"),
    Dial(name="startup", words="startup", options=STARTUP, width="230px"),
)  # fmt: skip
PERIOD = 5  # s, periodSeconds of all probes


def manifest(name: str, dials: Mapping[str, str]) -> str:
    """Return the Pod as YAML."""
    import yaml

    container: dict[str, Any] = {
        "name": "main",
        "image": dials["image"],
        "command": ["sh", "-c", script(dials)],
    }
    for probe, kind in (("readinessProbe", "readiness"), ("livenessProbe", "liveness")):
        if dials[kind] != NO_PROBE:
            file = "/tmp/ready" if dials[kind] == ASKS else "/tmp/nothing"
            container[probe] = {"exec": {"command": ["cat", file]}, "periodSeconds": PERIOD}
    if dials["startup"] != NO_PROBE:
        container["startupProbe"] = {
            "exec": {"command": ["cat", "/tmp/ready"]},
            "periodSeconds": PERIOD,
            "failureThreshold": 30,
        }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": dials["restart"], "containers": [container]},
    }
    text: str = yaml.safe_dump(pod, sort_keys=False, default_flow_style=None, width=100)
    return text


def script(dials: Mapping[str, str]) -> str:
    """Return what the container's shell runs."""
    wait, end = STARTS[dials["start"]], ENDS[dials["end"]]
    parts = [f"sleep {wait}"] if wait else []
    parts.append("touch /tmp/ready")
    if end is None:
        parts.append("sleep 86400")
    else:
        seconds, code = end
        parts += [f"sleep {seconds}"] if seconds else []
        parts.append(f"exit {code}")
    return "; ".join(parts)
