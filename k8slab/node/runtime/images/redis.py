"""Redis: a key-value store that speaks RESP, and redis-cli to talk to it.

Commands: PING ECHO SET GET DEL EXISTS INCR DECR INCRBY APPEND KEYS DBSIZE EXPIRE TTL LPUSH RPUSH
LRANGE LLEN HSET HGET HGETALL FLUSHALL INFO SELECT AUTH. The data lives as long as the process.

Rule of use: `Store.execute` is pure bookkeeping; `serve_redis` puts it on the wire.

Upstream: redis src/, redis.io/docs/reference/protocol-spec
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from k8slab.linux.errors import NetworkError
from k8slab.linux.resolver import ResolutionError
from k8slab.linux.tcp import Connection
from k8slab.node.runtime.images import resp
from k8slab.node.runtime.images.flags import parse_flags
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve

PORT = 6379
SYNC_INTERVAL = 1.0  # s, how often a replica asks its master for the data
RECONNECT = 1.0  # s, until a replica tries its master again


class Store:
    """The data of one server."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.values: dict[str, str | list[str] | dict[str, str]] = {}
        self.expiry: dict[str, float] = {}
        self._now = now
        self.role = "master"

    def execute(self, words: list[str]) -> resp.Reply:
        """Run one command and return its reply. Raises resp.RedisError."""
        command = words[0].upper()
        handler: Callable[..., resp.Reply] | None = getattr(self, f"_{command.lower()}", None)
        if handler is None:
            raise resp.RedisError(f"ERR unknown command '{words[0]}', with args beginning with: ")
        for key in [key for key, when in self.expiry.items() if when <= self._now()]:
            self.values.pop(key, None)
            del self.expiry[key]
        try:
            return handler(*words[1:])
        except TypeError:
            raise resp.RedisError(
                f"ERR wrong number of arguments for '{command.lower()}' command"
            ) from None
        except ValueError:
            raise resp.RedisError("ERR value is not an integer or out of range") from None

    def _ping(self, text: str = "") -> resp.Reply:
        return text or resp.Status("PONG")

    def _echo(self, text: str) -> resp.Reply:
        return text

    def _set(self, key: str, value: str, *options: str) -> resp.Reply:
        self._writable()
        self.values[key] = value
        self.expiry.pop(key, None)
        if len(options) == 2 and options[0].upper() == "EX":
            self.expiry[key] = self._now() + int(options[1])
        return resp.OK

    def _get(self, key: str) -> resp.Reply:
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise resp.RedisError(
                "WRONGTYPE Operation against a key holding the wrong kind of value"
            )
        return value

    def _del(self, *keys: str) -> resp.Reply:
        self._writable()
        return sum(self.values.pop(key, None) is not None for key in keys)

    def _exists(self, *keys: str) -> resp.Reply:
        return sum(key in self.values for key in keys)

    def _incr(self, key: str) -> resp.Reply:
        return self._incrby(key, "1")

    def _decr(self, key: str) -> resp.Reply:
        return self._incrby(key, "-1")

    def _incrby(self, key: str, amount: str) -> resp.Reply:
        self._writable()
        value = int(str(self.values.get(key, "0"))) + int(amount)
        self.values[key] = str(value)
        return value

    def _append(self, key: str, text: str) -> resp.Reply:
        self._writable()
        self.values[key] = f"{self.values.get(key, '')}{text}"
        return len(str(self.values[key]))

    def _keys(self, pattern: str) -> resp.Reply:
        return [key for key in self.values if fnmatchcase(key, pattern)]

    def _dbsize(self) -> resp.Reply:
        return len(self.values)

    def _expire(self, key: str, seconds: str) -> resp.Reply:
        if key not in self.values:
            return 0
        self.expiry[key] = self._now() + int(seconds)
        return 1

    def _ttl(self, key: str) -> resp.Reply:
        if key not in self.values:
            return -2
        return int(self.expiry[key] - self._now()) if key in self.expiry else -1

    def _list(self, key: str) -> list[str]:
        value = self.values.setdefault(key, [])
        if not isinstance(value, list):
            raise resp.RedisError(
                "WRONGTYPE Operation against a key holding the wrong kind of value"
            )
        return value

    def _lpush(self, key: str, *values: str) -> resp.Reply:
        self._writable()
        for value in values:
            self._list(key).insert(0, value)
        return len(self._list(key))

    def _rpush(self, key: str, *values: str) -> resp.Reply:
        self._writable()
        self._list(key).extend(values)
        return len(self._list(key))

    def _lrange(self, key: str, first: str, last: str) -> resp.Reply:
        found = self._list(key) if key in self.values else []
        end = int(last) + 1
        return list(found[int(first) : end or None])

    def _llen(self, key: str) -> resp.Reply:
        return len(self._list(key)) if key in self.values else 0

    def _hash(self, key: str) -> dict[str, str]:
        value = self.values.setdefault(key, {})
        assert isinstance(value, dict)
        return value

    def _hset(self, key: str, *pairs: str) -> resp.Reply:
        self._writable()
        fields = self._hash(key)
        before = len(fields)
        fields.update(zip(pairs[::2], pairs[1::2], strict=True))
        return len(fields) - before

    def _hget(self, key: str, field: str) -> resp.Reply:
        return self._hash(key).get(field) if key in self.values else None

    def _hgetall(self, key: str) -> resp.Reply:
        fields = self._hash(key) if key in self.values else {}
        return [word for pair in fields.items() for word in pair]

    def _flushall(self, *options: str) -> resp.Reply:
        self._writable()
        self.values.clear()
        return resp.OK

    def _info(self, *sections: str) -> resp.Reply:
        return f"# Replication\r\nrole:{self.role}\r\n"

    def _select(self, number: str) -> resp.Reply:
        return resp.OK

    def _auth(self, *secrets: str) -> resp.Reply:
        return resp.OK

    def _writable(self) -> None:
        if self.role == "slave":
            raise resp.RedisError("READONLY You can't write against a read only replica.")


def serve_redis(process: Process, store: Store, port: int) -> None:
    """Answer commands on the port."""

    async def each(connection: Connection) -> None:
        received = b""
        while data := await connection.recv():
            received += data
            while (found := resp.parse_command(received)) is not None:
                words, received = found
                if words:
                    await connection.send(_reply(store, words))
        connection.close()

    serve(process, port, each)


def _reply(store: Store, words: list[str]) -> bytes:
    try:
        return resp.encode(store.execute(words))
    except resp.RedisError as error:
        return f"-{error}\r\n".encode()


async def main(process: Process) -> int:
    """Serve until SIGTERM; `--replicaof host port` makes it a replica."""
    flags = parse_flags(process.args[1:])
    store = Store(lambda: process.sim.now)
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
    """Ask for all keys and values, at a bounded rate, until the connection ends."""
    try:
        while True:
            keys = await resp.ask(connection, ["KEYS", "*"])
            values: dict[str, str | list[str] | dict[str, str]] = {}
            for key in keys if isinstance(keys, list) else []:
                value = await resp.ask(connection, ["GET", str(key)])
                if isinstance(value, str):
                    values[str(key)] = value
            store.values = values
            await process.sleep(SYNC_INTERVAL)
    finally:
        connection.close()


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
