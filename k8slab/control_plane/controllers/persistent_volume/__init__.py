"""The volume binder: brings claims and volumes together, and lets go of volumes whose claim went.

`api.volume_matching.best_volume(claim, volumes)` is the choice; `binding` has the steps by which a
pair becomes bound, first in the volume, then in the claim, so that a crash between the two is
harmless; `pv_controller` is the loop.

Rule of use: a claim whose class waits for its first consumer is bound when the scheduler has
written the node of its Pod into it.

Upstream: pkg/controller/volume/persistentvolume
"""

from k8slab.control_plane.controllers.persistent_volume.pv_controller import (
    PersistentVolumeController,
)

__all__ = ["PersistentVolumeController"]
