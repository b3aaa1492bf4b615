"""Redis: a key-value store that speaks RESP, its replicas, and redis-cli to talk to it.

A replica sends SYNC, gets everything once and from then on every write. The data lives as long as
the process.

Rule of use: redis_store.py says what the commands do; here they travel.

Upstream: redis src/, redis.io/docs/reference/protocol-spec
"""

from __future__ import annotations

from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.resolver import ResolutionError
from k8slab.linux.tcp import Connection
from k8slab.node.runtime.images import resp
from k8slab.node.runtime.images.flags import parse_flags
from k8slab.node.runtime.images.redis_store import CONFIG, WRITES, Store, configured, snapshot
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve

PORT = 6379
REPLICA_TIMEOUT = 60.0  # s, repl-timeout: after so much silence a replica looks whether it lives
PING_TIMEOUT = 5.0  # s
PROTOCOL_ERROR = [""]
RECONNECT = 1.0  # s, until a replica tries its master again


def serve_redis(process: Process, store: Store, port: int) -> None:
    """Answer commands on the port."""
    followers: list[Connection] = []  # replicas, to which every write is passed on

    async def each(connection: Connection) -> None:
        received = b""
        while data := await connection.recv():
            received += data
            while (found := _next(received)) is not None:
                words, received = found
                if words == PROTOCOL_ERROR:
                    await connection.send(b"-ERR Protocol error\r\n")
                    connection.close()
                    return
                if words and words[0].upper() == "SYNC":
                    followers.append(connection)
                    await connection.send(b"".join(map(resp.command, snapshot(store))))
                elif words:
                    await connection.send(await _reply(store, words, followers))
        connection.close()

    serve(process, port, each)


def _next(received: bytes) -> tuple[list[str], bytes] | None:
    """Return the next command, PROTOCOL_ERROR for what is none."""
    try:
        return resp.parse_command(received)
    except ValueError:
        return PROTOCOL_ERROR, b""


async def _reply(store: Store, words: list[str], followers: list[Connection]) -> bytes:
    try:
        answer = resp.encode(store.execute(words))
    except resp.RedisError as error:
        return f"-{error}\r\n".encode()
    if words[0].upper() in WRITES:
        for follower in tuple(followers):
            try:
                await follower.send(resp.command(words))
            except NetworkError:  # a replica that has gone will sync anew
                followers.remove(follower)
    return answer


async def main(process: Process) -> int:
    """Serve until SIGTERM; a file of settings may come first, --replicaof makes it a replica."""
    try:
        settings = _settings(process)
    except FileNotFoundError as error:
        process.error(f"1:C # Fatal error, can't open config file '{error}'")
        return 1
    flags = {**settings, **parse_flags(process.args[1:])}
    known = {name: value for name, value in flags.items() if name in CONFIG}
    config = {name: configured(name, value) for name, value in known.items()}
    store = Store(lambda: process.sim.now, config)
    port = int(flags.get("port", PORT))
    process.memory = 8 << 20
    process.log("1:C # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo")
    serve_redis(process, store, port)
    process.log("1:M * Ready to accept connections tcp")
    if "replicaof" in flags:
        words = process.args[process.args.index("--replicaof") + 1 :]
        process.spawn(follow(process, store, words[0], int(words[1])), "replication")
    await process.until_sigterm()
    process.log("1:signal-handler Received SIGTERM scheduling shutdown...")
    process.log("1:M # Redis is now ready to exit, bye bye...")
    return 0


def _settings(process: Process) -> dict[str, str]:
    """Read the file of settings that the command line names. Raises FileNotFoundError."""
    words = [word for word in process.args[1:] if word != "redis-server"]
    named = words[:1] if words and not words[0].startswith("-") else []
    found = {}
    for line in process.read(named[0]).splitlines() if named else ():
        name, _, value = line.strip().partition(" ")
        if name and not name.startswith("#"):
            found[name.lower()] = value.strip().strip('"')
    return found


async def replica(process: Process) -> int:
    """The guestbook's replica: follows redis-master, by name or by $REDIS_MASTER_SERVICE_HOST."""
    by_env = process.env.get("GET_HOSTS_FROM") == "env"
    host = process.env.get("REDIS_MASTER_SERVICE_HOST", "") if by_env else "redis-master"
    process.args = ("redis-server", "--replicaof", host, str(PORT))
    return await main(process)


async def follow(process: Process, store: Store, host: str, port: int) -> None:
    """Copy a master's data again and again, as long as it can be reached."""
    store.role = "slave"
    told = ""
    while True:
        try:
            connection = await process.connect(host, port, timeout=5)
            process.log(f"1:S * MASTER <-> REPLICA sync started with {host}:{port}")
            told = ""
            await _copy(process, store, connection)
        except (NetworkError, ResolutionError) as error:
            if str(error) != told:
                told = str(error)
                process.log(f"1:S # Error condition on socket for SYNC: {error}")
        await process.sleep(RECONNECT)


async def _copy(process: Process, store: Store, connection: Connection) -> None:
    """Take over the master's data and then its writes, until the connection ends."""
    received = b""
    try:
        await connection.send(resp.command(["SYNC"]))
        while data := await _heard(connection):
            received += data
            while (found := resp.parse_command(received)) is not None:
                words, received = found
                if words:
                    store.replicate(words)
    finally:
        connection.close()


async def _heard(connection: Connection) -> bytes:
    """Return what the master sends; after a long silence ask whether it is there."""
    try:
        return await connection.recv(REPLICA_TIMEOUT)
    except TimedOut:
        await connection.send(resp.command(["PING"]))
        return await connection.recv(PING_TIMEOUT)


async def cli(process: Process) -> int:
    """redis-cli [-h host] [-p port] COMMAND..."""
    words = list(process.args[1:])
    host, port = "127.0.0.1", PORT
    while words and words[0] in ("-h", "-p"):
        option, value = words.pop(0), words.pop(0)
        host, port = (value, port) if option == "-h" else (host, int(value))
    try:
        connection = await process.connect(host, port)
        reply = await resp.ask(connection, words or ["PING"])
        connection.close()
    except ResolutionError:
        process.error(f"Could not connect to Redis at {host}:{port}: Name or service not known")
        return 1
    except NetworkError as error:
        process.error(f"Could not connect to Redis at {host}:{port}: {error.words}")
        return 1
    except resp.RedisError as error:
        process.log(f"(error) {error}")
        return 0
    for line in resp.show(reply):
        process.log(line)
    return 0
