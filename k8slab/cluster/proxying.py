"""The way from the API server into the cluster: what /proxy and health checks take.

Rule of use: `forwarder(net)` is given to the API server; it opens connections in the network of the
node that the server runs on.

Upstream: pkg/controlplane (proxyTransport)
"""

from __future__ import annotations

from k8slab.client.http_call import Forward, HttpAnswer, HttpCall, Unreachable
from k8slab.linux.errors import NetworkError
from k8slab.linux.go_words import http_error
from k8slab.linux.netns import NetNamespace
from k8slab.node import http

DIAL_TIMEOUT = 30.0  # s, of Go's default transport
ANSWER_TIMEOUT = 3600.0  # s after which an answer is given up; upstream waits for ever


def forwarder(net: NetNamespace) -> Forward:
    """Return what passes requests on from this network."""

    async def forward(host: str, port: int, call: HttpCall) -> HttpAnswer:
        asked = http.Request(call.method, call.target, call.headers, call.body)
        try:
            connection = await net.connect(host, port, timeout=DIAL_TIMEOUT)
            try:
                answer = await http.exchange(connection, asked, ANSWER_TIMEOUT)
            finally:
                connection.close()
        except (NetworkError, EOFError, http.BadMessage) as error:
            raise Unreachable(http_error(error, host, port)) from None
        return HttpAnswer(answer.status, answer.headers, answer.body)

    return forward
