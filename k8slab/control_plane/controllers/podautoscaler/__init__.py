"""The HorizontalPodAutoscaler controller: as many Pods as their use of resources asks for.

Every 15 s: ask the metrics API what the Pods use, compare that with what was aimed at, look back
at earlier answers so that the number does not flutter, keep to the limits, write the scale.
`plan` is one such look; `replica_calculator` the arithmetic, `normalize` the looking back and the
limits; `HorizontalController` is the loop.

Rule of use: without a metrics server it does nothing but say so, in conditions and Events.

Upstream: pkg/controller/podautoscaler
"""

from k8slab.control_plane.controllers.podautoscaler.horizontal import HorizontalController
from k8slab.control_plane.controllers.podautoscaler.normalize import History
from k8slab.control_plane.controllers.podautoscaler.plan import AutoscalerPlan, plan

__all__ = ["AutoscalerPlan", "History", "HorizontalController", "plan"]
