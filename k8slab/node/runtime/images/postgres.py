"""PostgreSQL as far as clients in the lab need it: it listens, accepts, and wants a password.

A client that sends a start-up message gets AuthenticationOk and ReadyForQuery; SQL is not
simulated. Without $POSTGRES_PASSWORD the container ends with the real image's error.

Upstream: docker-library postgres docker-entrypoint.sh, PostgreSQL Frontend/Backend Protocol
"""

from __future__ import annotations

from k8slab.linux.tcp import Connection
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve

PORT = 5432
START = 1.5  # s, initdb
SSL_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 47])
READY = b"R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I"  # AuthenticationOk, ReadyForQuery


def hello(database: str) -> bytes:
    """Return a client's start-up message (protocol 3.0)."""
    body = b"\x00\x03\x00\x00user\x00postgres\x00database\x00" + database.encode() + b"\x00\x00"
    return (len(body) + 4).to_bytes(4, "big") + body


async def main(process: Process) -> int:
    """Serve until SIGTERM or SIGINT."""
    trusted = process.env.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
    if not process.env.get("POSTGRES_PASSWORD") and not trusted:
        process.error("Error: Database is uninitialized and superuser password is not specified.")
        process.error("       You must specify POSTGRES_PASSWORD to a non-empty value for the")
        process.error(
            '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".'
        )
        return 1
    process.handle_sigterm()
    process.memory = 40 << 20
    await process.sleep(START)
    process.log(f'LOG:  listening on IPv4 address "0.0.0.0", port {PORT}')
    serve(process, PORT, _session)
    process.log("LOG:  database system is ready to accept connections")
    await process.terminated.wait()
    process.log("LOG:  database system is shut down")
    return 0


async def _session(connection: Connection) -> None:
    while data := await connection.recv():
        if data == SSL_REQUEST:
            await connection.send(b"N")
        elif data[:1] == b"X":
            break
        else:
            await connection.send(READY)
    connection.close()
