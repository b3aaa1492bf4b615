"""The data of a Redis server: what each command does to it.

Commands: PING ECHO SET GET DEL EXISTS INCR DECR INCRBY APPEND KEYS DBSIZE EXPIRE TTL LPUSH RPUSH
LRANGE LLEN HSET HGET HGETALL FLUSHALL INFO SELECT AUTH. A command is the method with its name.

Rule of use: `execute` takes words and returns a reply; it knows nothing of the network.

Upstream: redis src/t_string.c, src/t_list.c, src/t_hash.c, src/expire.c
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from k8slab.node.runtime.images import resp

WRITES = frozenset(
    (
        "SET",
        "DEL",
        "INCR",
        "DECR",
        "INCRBY",
        "APPEND",
        "EXPIRE",
        "LPUSH",
        "RPUSH",
        "HSET",
        "FLUSHALL",
    )
)


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

    def replicate(self, words: list[str]) -> None:
        """Run a command of the master's; its answers to a ping (+PONG) are no commands."""
        if words[0].upper() in WRITES:
            role, self.role = self.role, "master"
            self.execute(words)
            self.role = role

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


def snapshot(store: Store) -> list[list[str]]:
    """Return the commands that make an empty server equal to this one."""
    commands = [["FLUSHALL"]]
    for key, value in store.values.items():
        if isinstance(value, str):
            commands.append(["SET", key, value])
        elif isinstance(value, list):
            commands.append(["RPUSH", key, *value])
        else:
            commands.append(["HSET", key, *(word for pair in value.items() for word in pair)])
    return commands
