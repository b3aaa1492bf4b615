"""gRPC's health check on the wire, as far as a probe needs it.

One call is one message each way: the HTTP/2 preface, the path of the method, and the real gRPC
frame (a zero byte, four bytes of length, a protobuf message). HTTP/2's frames and header
compression are left out; everything a reader of a packet dump would look for is there.

Rule of use: `check` asks; a server that sees `is_request(data)` answers with `respond`.

Upstream: grpc/health/v1/health.proto, pkg/probe/grpc/grpc.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux.errors import TimedOut

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113 section 3.4
PATH = b"/grpc.health.v1.Health/Check\n"
UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = 0, 1, 2, 3  # HealthCheckResponse.ServingStatus
STATUS_NAMES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
OK, DEADLINE_EXCEEDED, NOT_FOUND, UNIMPLEMENTED, UNAVAILABLE = 0, 4, 5, 12, 14  # grpc-status
CODE_NAMES = {4: "DeadlineExceeded", 5: "NotFound", 12: "Unimplemented", 14: "Unavailable"}
_TRAILER = b"\ngrpc-status: "
_FIELD_ONE_BYTES, _FIELD_ONE_VARINT = 0x0A, 0x08  # protobuf tags


class GrpcError(Exception):
    """The call failed; `code` is the grpc-status, `words` what Go prints of the error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.words = f"rpc error: code = {CODE_NAMES.get(code, 'Unknown')} desc = {message}"


def call(service: str = "") -> bytes:
    """Return the bytes of a call that asks for a service's health."""
    name = service.encode()
    message = bytes([_FIELD_ONE_BYTES, len(name)]) + name if name else b""
    return PREFACE + PATH + _frame(message)


def is_request(data: bytes) -> bool:
    """Say whether a client has begun to speak gRPC."""
    return data.startswith(PREFACE)


def service_of(data: bytes) -> str | None:
    """Return which service a call asks about, None if it calls another method."""
    _, found, frame = data.removeprefix(PREFACE).partition(PATH)
    return frame[7:].decode() if found else None


def respond(status: int = SERVING, code: int = OK) -> bytes:
    """Return the bytes of an answer: the service's status, or only an error code."""
    message = bytes([_FIELD_ONE_VARINT, status]) if status else b""
    return (_frame(message) if code == OK else b"") + _TRAILER + str(code).encode() + b"\n"


def status_of(data: bytes) -> int:
    """Return the status in an answer; raises GrpcError."""
    frame, found, code = data.partition(_TRAILER)
    if not found:
        raise GrpcError(UNAVAILABLE, "error reading server preface: EOF")
    if int(code) != OK:
        words = {
            UNIMPLEMENTED: "unknown service grpc.health.v1.Health",
            NOT_FOUND: "unknown service",
        }
        raise GrpcError(int(code), words.get(int(code), "call failed"))
    return frame[6] if len(frame) > 6 else UNKNOWN


async def check(
    net: NetNamespace, ip: str, port: int, service: str = "", timeout: float | None = None
) -> int:
    """Ask for a service's health and return its status.

    `timeout` in virtual seconds bounds the whole. Raises GrpcError and NetworkError.
    """
    deadline = None if timeout is None else net.sim.now + timeout
    connection = await net.connect(ip, port, timeout=timeout)
    try:
        await connection.send(call(service))
        left = None if deadline is None else max(deadline - net.sim.now, 0.0)
        return status_of(await connection.recv(left))
    except TimedOut:
        raise GrpcError(DEADLINE_EXCEEDED, "context deadline exceeded") from None
    finally:
        connection.close()


def _frame(message: bytes) -> bytes:
    return b"\x00" + len(message).to_bytes(4, "big") + message
