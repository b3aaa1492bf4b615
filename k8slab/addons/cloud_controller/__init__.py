"""A cloud for Services of type LoadBalancer: an address from outside, and a way to the nodes.

`LoadBalancers` is the cloud's part, on the router in front of the cluster; `ServiceController` the
program in kube-system that orders load balancers there and writes their addresses into Services.

Rule of use: not part of every cluster: apply its manifest, `cloud-controller-manager`.

Upstream: staging/src/k8s.io/cloud-provider, sigs.k8s.io/cloud-provider-kind
"""

from k8slab.addons.cloud_controller.load_balancers import Backend, LoadBalancer, LoadBalancers
from k8slab.addons.cloud_controller.service_controller import POOL, ServiceController

__all__ = ["POOL", "Backend", "LoadBalancer", "LoadBalancers", "ServiceController"]
