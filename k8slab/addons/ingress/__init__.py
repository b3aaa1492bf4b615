"""The last mile from outside: one proxy, and two controllers that tell it what to do.

`IngressController` acts on Ingresses of a class, `GatewayController` on Gateways and HTTPRoutes.
Both make `routing.Rule`s of objects; the `Proxy` in their own Pod takes requests and sends them to
endpoints. Both are opt-in: apply the manifest `ingress-nginx` or `nginx-gateway`.

Rule of use: an Ingress or a Gateway without such a Pod is only an object that nobody acts on.

Upstream: kubernetes/ingress-nginx, nginx/nginx-gateway-fabric
"""

from k8slab.addons.ingress.gateway_controller import GatewayController
from k8slab.addons.ingress.ingress_controller import IngressController

__all__ = ["GatewayController", "IngressController"]
