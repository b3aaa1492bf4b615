"""The data of a Redis server: what each command does to it.

Commands: PING ECHO SET GET MSET DEL EXISTS TYPE INCR DECR INCRBY APPEND KEYS DBSIZE EXPIRE TTL
LPUSH RPUSH LPOP RPOP LRANGE LLEN LREM SADD SREM SMEMBERS SCARD SISMEMBER HSET HGET HGETALL FLUSHALL
CONFIG INFO SELECT AUTH. A command is the method with its name.

Rule of use: `execute` takes words and returns a reply; it knows nothing of the network.

Upstream: redis src/t_string.c, src/t_list.c, src/t_hash.c, src/expire.c
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
        "MSET",
        "LPOP",
        "RPOP",
        "LREM",
        "SADD",
        "SREM",
        "FLUSHALL",
    )
)


CONFIG = {
    "maxmemory": "0", "maxmemory-policy": "noeviction", "appendonly": "no", "port": "6379",
    "bind": "* -::*", "timeout": "0", "databases": "16", "requirepass": "", "dir": "/data",
    "save": "3600 1 300 100 60 10000", "protected-mode": "no", "maxclients": "10000",
}  # fmt: skip
UNITS = {"": 1, "k": 1000, "kb": 1 << 10, "m": 10**6, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def configured(name: str, value: str) -> str:
    """Return a setting as CONFIG GET shows it: an amount of memory in bytes.

    >>> configured("maxmemory", "2mb"), configured("appendonly", "yes")
    ('2097152', 'yes')
    """
    amount = re.fullmatch(r"(\d+)([a-z]*)", value.lower())
    if name == "maxmemory" and amount is not None and amount[2] in UNITS:
        return str(int(amount[1]) * UNITS[amount[2]])
    return value


class Store:
    """The data of one server."""

    def __init__(self, now: Callable[[], float], config: Mapping[str, str] | None = None) -> None:
        # A set is a dictionary whose values are empty.
        self.values: dict[str, str | list[str] | dict[str, str]] = {}
        self.config = {**CONFIG, **(config or {})}
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
            raise resp.RedisError(WRONG_TYPE)
        return value

    def _del(self, *keys: str) -> resp.Reply:
        self._writable()
        return sum(self.values.pop(key, None) is not None for key in keys)

    def _mset(self, *pairs: str) -> resp.Reply:
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            self._set(key, value)
        return resp.OK

    def _type(self, key: str) -> resp.Reply:
        value = self.values.get(key)
        if isinstance(value, dict):
            return resp.Status("hash" if any(value.values()) else "set")
        if isinstance(value, list):
            return resp.Status("list")
        return resp.Status("none" if value is None else "string")

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
            raise resp.RedisError(WRONG_TYPE)
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

    def _lpop(self, key: str) -> resp.Reply:
        return self._pop(key, 0)

    def _rpop(self, key: str) -> resp.Reply:
        return self._pop(key, -1)

    def _pop(self, key: str, at: int) -> resp.Reply:
        self._writable()
        if not self._llen(key):
            return None
        value = self._list(key).pop(at)
        if not self._list(key):
            del self.values[key]
        return value

    def _lrem(self, key: str, count: str, value: str) -> resp.Reply:
        self._writable()
        found = self._list(key) if key in self.values else []
        wanted = int(count) or len(found)
        before = len(found)
        if wanted < 0:
            found.reverse()
        for _ in range(min(abs(wanted), found.count(value))):
            found.remove(value)
        if wanted < 0:
            found.reverse()
        return before - len(found)

    def _sadd(self, key: str, *members: str) -> resp.Reply:
        return self._hset(key, *(word for member in members for word in (member, "")))

    def _srem(self, key: str, *members: str) -> resp.Reply:
        self._writable()
        return sum(self._hash(key).pop(member, None) is not None for member in members)

    def _smembers(self, key: str) -> resp.Reply:
        return list(self._hash(key)) if key in self.values else []

    def _scard(self, key: str) -> resp.Reply:
        return len(self._hash(key)) if key in self.values else 0

    def _sismember(self, key: str, member: str) -> resp.Reply:
        return int(key in self.values and member in self._hash(key))

    def _hash(self, key: str) -> dict[str, str]:
        value = self.values.setdefault(key, {})
        if not isinstance(value, dict):
            raise resp.RedisError(WRONG_TYPE)
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

    def _config(self, what: str, *words: str) -> resp.Reply:
        if what.upper() == "GET":
            names = [n for n in self.config if any(fnmatchcase(n, w.lower()) for w in words)]
            return [word for name in names for word in (name, self.config[name])]
        if what.upper() != "SET":
            raise resp.RedisError(f"ERR unknown subcommand '{what}'. Try CONFIG HELP.")
        for name, value in zip(words[::2], words[1::2], strict=True):
            if name.lower() not in self.config:
                raise resp.RedisError(
                    f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
                )
            self.config[name.lower()] = configured(name.lower(), value)
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
