"""What every component is given to work with the API server.

`Client` for calls, `Informers` for local copies that stay true, `WorkQueue` for what has to be
looked at, `EventRecorder` for telling people. All of it talks to a `Transport`, never to another
component.

Rule of use: read from informers, write through the client, decide in pure functions.

Upstream: staging/src/k8s.io/client-go
"""

from k8slab.client.client import Client
from k8slab.client.events import EventRecorder, reference_to
from k8slab.client.informer import Informer, Informers
from k8slab.client.latency import Latency
from k8slab.client.transport import (
    ADMIN,
    ANONYMOUS,
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    ConnectionFailed,
    Listing,
    Notes,
    Request,
    TextStream,
    Transport,
    WatchEvent,
    WatchStream,
    Wire,
    component_of,
    key_of,
    split_key,
)
from k8slab.client.work_queue import WorkQueue

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "APPLY_PATCH",
    "JSON_PATCH",
    "MERGE_PATCH",
    "STRATEGIC_PATCH",
    "Client",
    "ConnectionFailed",
    "EventRecorder",
    "Informer",
    "Informers",
    "Latency",
    "Listing",
    "Notes",
    "Request",
    "TextStream",
    "Transport",
    "WatchEvent",
    "WatchStream",
    "Wire",
    "WorkQueue",
    "component_of",
    "key_of",
    "reference_to",
    "split_key",
]
