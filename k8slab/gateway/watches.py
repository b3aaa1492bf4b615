"""Answers that go on: a watch, one line of JSON for each event; a followed log.

Rule of use: `produce` and `follow` are bodies of an `HttpStream`, and end with it.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.meta import Status
from k8slab.api.table import Table
from k8slab.client import Request, TextStream, WatchEvent, WatchStream
from k8slab.gateway.encoding import encode_event, rows_only
from k8slab.gateway.messages import Send
from k8slab.gateway.negotiation import Form
from k8slab.sim import Simulation

MIN_REQUEST_TIMEOUT = 1800.0  # s, kube-apiserver --min-request-timeout


async def produce(
    sim: Simulation, stream: WatchStream, request: Request, form: Form, send: Send
) -> None:
    """Send all events of the stream until it closes or its time is over."""
    end = sim.now + _timeout(request)
    told_columns = False
    try:
        while sim.now < end:
            for event in await stream.batch(end - sim.now):
                if isinstance(event.object, Table):
                    if told_columns:
                        event = replace(event, object=rows_only(event.object))
                    told_columns = True
                send(encode_event(event, form))
            if stream.closed:
                return
    finally:
        stream.close()


async def follow(text: TextStream, send: Send) -> None:
    """Send a text as it is written, until its end."""
    while new := await text.batch():
        send(new.encode())


async def fail(status: Status, send: Send) -> None:
    """Send one ERROR event: how a watch says that its version is too old."""
    send(encode_event(WatchEvent("ERROR", status), Form()))


def _timeout(request: Request) -> float:
    """Return how many virtual seconds the watch may last."""
    text = dict(request.options).get("timeoutSeconds", "")
    seconds = float(text) if text.isdigit() else 0.0
    return seconds or MIN_REQUEST_TIMEOUT
