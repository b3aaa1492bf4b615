"""Binds a Pod by creating its Binding.

Upstream: pkg/scheduler/framework/plugins/defaultbinder/default_binder.go
"""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.control_plane.scheduler.framework.snapshot import Handle


class DefaultBinder:
    """Bind through the API server, if the scheduler runs (`explain` has nobody to tell)."""

    name = "DefaultBinder"

    def __init__(self, handle: Handle, args: None) -> None:
        self._client = handle.client

    async def bind(self, pod: Pod, node_name: str) -> None:
        """Create the Binding; raises ApiError or ConnectionFailed."""
        if self._client is None:
            raise RuntimeError("only a running scheduler binds: this profile only explains")
        meta = pod.metadata
        await self._client.bind(meta.namespace, meta.name, node_name, meta.uid)
