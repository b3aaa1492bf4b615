"""The online boutique's services: small gRPC servers that call one another.

Each listens on $PORT, answers gRPC health checks and any call. The front end is an HTTP server
that asks the services it names in its environment; the load generator visits the front end at
the rate of $RATE requests per second and user.

Rule of use: the graph of calls is in `CALLS`; addresses come from *_ADDR variables, as in the
real code.

Upstream: GoogleCloudPlatform/microservices-demo src/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from k8slab.linux.errors import NetworkError
from k8slab.linux.resolver import ResolutionError
from k8slab.node import grpc_health, http
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_any

CALL_TIMEOUT = 3.0  # s
CPU = 0.002  # s of work for a page
MOST_REQUESTS = 20.0  # per second, whatever $USERS and $RATE say
CALLS = {  # which services a page needs
    "/": ("PRODUCT_CATALOG", "CURRENCY", "CART", "AD"),
    "/cart": ("CART", "CURRENCY", "PRODUCT_CATALOG", "SHIPPING", "RECOMMENDATION"),
    "/cart/checkout": ("CHECKOUT", "RECOMMENDATION", "CURRENCY"),
    "/product": ("PRODUCT_CATALOG", "CURRENCY", "CART", "RECOMMENDATION", "AD"),
}
VISITS = ("/", "/product/OLJCESPC7Z", "/cart", "/", "/product/66VCHSJNUP", "/cart/checkout")
PORTS = {
    "adservice": 9555, "cartservice": 7070, "checkoutservice": 5050, "currencyservice": 7000,
    "emailservice": 8080, "paymentservice": 50051, "productcatalogservice": 3550,
    "recommendationservice": 8080, "shippingservice": 50051, "shoppingassistantservice": 8080,
}  # fmt: skip


async def _service(process: Process, name: str) -> int:
    """Serve health checks and calls until SIGTERM."""
    port = int(process.env.get("PORT") or PORTS[name])

    def refuse(request: http.Request) -> http.Response:
        return http.text("this is a gRPC service\n", 415)

    serve_any(process, port, refuse, lambda service: grpc_health.SERVING)
    process.memory = 30 << 20
    process.log(f'{{"message":"{name} server started on port {port}","severity":"info"}}')
    return await process.until_sigterm()


def _program(name: str) -> Callable[[Process], Awaitable[int]]:
    return partial(_service, name=name)


adservice = _program("adservice")
cartservice = _program("cartservice")
checkoutservice = _program("checkoutservice")
currencyservice = _program("currencyservice")
emailservice = _program("emailservice")
paymentservice = _program("paymentservice")
productcatalogservice = _program("productcatalogservice")
recommendationservice = _program("recommendationservice")
shippingservice = _program("shippingservice")
shoppingassistantservice = _program("shoppingassistantservice")


async def frontend(process: Process) -> int:
    """Serve pages until SIGTERM."""
    port = int(process.env.get("PORT", "8080"))

    async def page(request: http.Request) -> http.Response:
        if request.path == "/_healthz":
            return http.text("ok")
        needed = CALLS.get(request.path) or CALLS.get("/" + request.path.split("/")[1])
        if needed is None:
            return http.text("404 page not found\n", 404)
        await process.compute(CPU)
        for service in needed:
            problem = await _call(process, process.env.get(f"{service}_SERVICE_ADDR", ""))
            if problem:
                process.log(f'{{"error":"{problem}","severity":"error"}}')
                return http.text(f"HTTP Status: 500 Internal Server Error\n{problem}\n", 500)
        return http.text("<html><title>Online Boutique</title></html>\n", 200, "text/html")

    process.memory = 40 << 20
    serve_any(process, port, page, lambda service: grpc_health.SERVING)
    process.log(f'{{"message":"starting server on :{port}","severity":"info"}}')
    return await process.until_sigterm()


async def _call(process: Process, address: str) -> str:
    """Call a service; returns the problem, "" if there is none."""
    host, _, port = address.rpartition(":")
    try:
        ip = await process.resolve(host)
        await grpc_health.check(process.net, ip, int(port), timeout=CALL_TIMEOUT)
    except (NetworkError, ResolutionError, grpc_health.GrpcError, ValueError) as error:
        words = getattr(error, "words", "") or str(error)
        return f"rpc error: code = Unavailable desc = {address}: {words}"
    return ""


async def loadgenerator(process: Process) -> int:
    """Visit the front end for ever, at a bounded rate."""
    host, _, port = process.env.get("FRONTEND_ADDR", "frontend:80").partition(":")
    users, rate = float(process.env.get("USERS", "10")), float(process.env.get("RATE", "1"))
    interval = 1 / max(0.01, min(users * rate / 10, MOST_REQUESTS))
    process.spawn(_visit(process, host, int(port or 80), interval), "users")
    return await process.until_sigterm()


async def _visit(process: Process, host: str, port: int, interval: float) -> None:
    visits = failures = 0
    while True:
        target = VISITS[visits % len(VISITS)]
        try:
            ip = await process.resolve(host)
            request = http.Request("GET", target, {"Host": host, "User-Agent": "python-requests"})
            answer = await http.request(process.net, ip, port, request, timeout=CALL_TIMEOUT)
            failures += answer.status >= 500
        except (NetworkError, ResolutionError, EOFError):
            failures += 1
        visits += 1
        if visits % 60 == 0:
            process.log(f"GET {target} requests {visits} failures {failures}")
        await process.sleep(interval)
