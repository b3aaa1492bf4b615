"""What the verdict of a probe changes: traffic, or the container's life.

    readiness   decides whether the container is ready, and nothing else
    liveness    restarts the container when it fails, and changes nothing when it succeeds
    startup     says that the container has started; restarts it when it fails

Rule of use: pure; `prober` finds the verdicts, the Pod worker does what follows from them.

Upstream: pkg/kubelet/prober/results, pkg/kubelet/kubelet.go (syncLoopIteration)
"""

from __future__ import annotations

from collections.abc import Mapping

LIVENESS, READINESS, STARTUP = "liveness", "readiness", "startup"


def probe_effects(kind: str, success: bool) -> Mapping[str, bool]:
    """Return what becomes of "ready" and "started", and whether "restart" follows.

    >>> probe_effects("readiness", False), probe_effects("liveness", False)
    ({'ready': False}, {'restart': True})
    """
    if kind == READINESS:
        return {"ready": success}
    effects = {"started": success} if kind == STARTUP else {}
    return effects if success else {**effects, "restart": True}
