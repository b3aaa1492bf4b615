"""psql and pg_isready: clients of a PostgreSQL server, as far as they connect.

They look the server up, connect and say hello; SQL is not simulated, and psql says so.

Upstream: PostgreSQL src/bin/psql, src/bin/scripts/pg_isready.c, src/interfaces/libpq
"""

from __future__ import annotations

import msgspec

from k8slab.linux.errors import NetworkError
from k8slab.linux.resolver import ResolutionError
from k8slab.node.runtime.images.postgres import PORT, hello
from k8slab.node.runtime.process import Process

SOCKET = "/var/run/postgresql"  # where a server without an address is
NO_RESPONSE, BAD_CONNECTION = 2, 2  # exit codes
TIMEOUT = 3.0  # s, DEFAULT_CONNECT_TIMEOUT
OPTIONS = "hpUdct"


class Where(msgspec.Struct, frozen=True):
    """Which server, and which of its databases."""

    host: str
    port: int
    database: str

    @property
    def address(self) -> str:
        """What to connect to: the socket of this machine is a port of it here."""
        return "127.0.0.1" if self.host == SOCKET else self.host


async def pg_isready(process: Process) -> int:
    """Say whether a server takes connections: -h host, -p port."""
    where = _where(process)
    try:
        await _greet(process, where)
        state, code = "accepting connections", 0
    except (NetworkError, ResolutionError, EOFError):
        state, code = "no response", NO_RESPONSE
    process.log(f"{where.host}:{where.port} - {state}")
    return code


async def psql(process: Process) -> int:
    """Connect: -h host, -p port, -U user, -d database, or a URL; what is asked is not answered."""
    where = _where(process)
    try:
        await _greet(process, where)
    except ResolutionError:
        process.error(
            f'psql: error: could not translate host name "{where.host}" to address: '
            "Name or service not known"
        )
        return BAD_CONNECTION
    except (NetworkError, EOFError) as error:
        process.error(await _refusal(process, where, error))
        return BAD_CONNECTION
    process.error(f"k8slab: connected to {where.database} at {where.host}; SQL is not simulated")
    return 0


async def _greet(process: Process, where: Where) -> None:
    """Connect and wait until the server is ready for a query. Raises what a connection raises."""
    connection = await process.connect(where.address, where.port, TIMEOUT)
    try:
        await connection.send(hello(where.database))
        if not await connection.recv(TIMEOUT):
            raise EOFError("server closed the connection unexpectedly")
    finally:
        connection.close()


async def _refusal(process: Process, where: Where, error: Exception) -> str:
    words = error.words if isinstance(error, NetworkError) else str(error)
    if where.host == SOCKET:
        place, hint = f'on socket "{SOCKET}/.s.PGSQL.{where.port}"', "locally and accepting"
        hint += " connections on that socket?"
    else:
        ip = await process.resolve(where.host)
        place = f'at "{where.host}" ({ip}), port {where.port}'
        hint = "on that host and accepting TCP/IP connections?"
    return (
        f"psql: error: connection to server {place} failed: {words}\n\tIs the server running {hint}"
    )


def _where(process: Process) -> Where:
    """Read the command line and the environment."""
    found: dict[str, str] = {}
    rest: list[str] = []
    words = list(process.args[1:])
    while words:
        word = words.pop(0)
        if word[:2] in [f"-{letter}" for letter in OPTIONS] and not word.startswith("--"):
            found[word[1]] = word[2:] or (words.pop(0) if words else "")
        elif not word.startswith("-"):
            rest.append(word)
    env = process.env
    host, port = found.get("h", env.get("PGHOST", "")), found.get("p", env.get("PGPORT", ""))
    database = found.get("d", "")
    if rest and "://" in rest[0]:
        place, _, database = rest[0].partition("://")[2].rpartition("@")[2].partition("/")
        host, _, port = place.partition(":")
    elif rest:
        database = rest[0]
    user = found.get("U", env.get("PGUSER", "postgres"))
    return Where(host or SOCKET, int(port or PORT), database.partition("?")[0] or user)
