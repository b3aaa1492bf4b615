"""The EndpointSlice controller: writes down which addresses are behind each Service.

`plan` says which slices should exist for a Service, `EndpointSliceController` is the loop.
`endpoints` turns one Pod into one endpoint, `desired` keeps those of a Service, `reconciler` packs
endpoints into slices, `tracker` remembers what was written and when it was triggered. `adapt` puts
a learner's function in the place of `plan`.

Rule of use: a Service knows labels in its namespace, and nothing of Deployments.

Upstream: pkg/controller/endpointslice, staging/src/k8s.io/endpointslice
"""

from k8slab.control_plane.controllers.endpoint_slice.desired import Desired
from k8slab.control_plane.controllers.endpoint_slice.endpoint_slice_controller import (
    EndpointSliceController,
)
from k8slab.control_plane.controllers.endpoint_slice.endpoints import endpoint_for, endpoint_ports
from k8slab.control_plane.controllers.endpoint_slice.learner import adapt
from k8slab.control_plane.controllers.endpoint_slice.reconciler import SlicePlan, plan

__all__ = [
    "Desired",
    "EndpointSliceController",
    "SlicePlan",
    "adapt",
    "endpoint_for",
    "endpoint_ports",
    "plan",
]
