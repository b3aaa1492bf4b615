"""RESP, the protocol of Redis: commands are arrays of strings, replies have one of five shapes.

Rule of use: bytes in, values out; the same functions serve the server and its clients.

Upstream: redis.io/docs/reference/protocol-spec
"""

from __future__ import annotations

from typing import Union

from k8slab.linux.errors import ConnectionReset
from k8slab.linux.tcp import Connection

Reply = Union[None, int, str, "Status", "list[str]"]


class RedisError(Exception):
    """An error reply; the message is what stands behind the minus."""


class Status(str):
    """A reply such as OK, which is no data."""

    __slots__ = ()


OK = Status("OK")


def command(words: list[str]) -> bytes:
    """Return a command as it goes on the wire."""
    parts = [f"*{len(words)}\r\n"]
    parts += [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return "".join(parts).encode()


def parse_command(data: bytes) -> tuple[list[str], bytes] | None:
    r"""Return the first command and the bytes behind it, None while it is incomplete.

    >>> parse_command(b"PING\r\n")
    (['PING'], b'')
    """
    if b"\n" not in data:
        return None
    if not data.startswith(b"*"):  # typed by hand
        line, _, rest = data.partition(b"\n")
        return line.decode(errors="replace").split(), rest
    found = _array(data)
    return None if found is None else ([str(word) for word in found[0]], found[1])


def encode(reply: Reply) -> bytes:
    """Return a reply as it goes on the wire."""
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, Status):
        return f"+{reply}\r\n".encode()
    if isinstance(reply, int):
        return f":{reply}\r\n".encode()
    return command(reply) if isinstance(reply, list) else command([reply])[4:]


def parse_reply(data: bytes) -> tuple[Reply, bytes] | None:
    """Return the first reply and the rest, None while it is incomplete. Raises RedisError."""
    line, found, rest = data.partition(b"\r\n")
    if not found:
        return None
    kind, text = line[:1], line[1:].decode(errors="replace")
    if kind == b"-":
        raise RedisError(text)
    if kind == b"+":
        return Status(text), rest
    if kind == b":":
        return int(text), rest
    if kind == b"*":
        return _array(data)
    return _bulk(data)


async def ask(connection: Connection, words: list[str]) -> Reply:
    """Send a command and return the reply. Raises RedisError and NetworkError."""
    await connection.send(command(words))
    received = b""
    while (found := parse_reply(received)) is None:
        data = await connection.recv()
        if not data:
            raise ConnectionReset("redis")
        received += data
    return found[0]


def show(reply: Reply) -> list[str]:
    """Return the lines that redis-cli prints into a pipe."""
    if isinstance(reply, list):
        return [str(each) for each in reply] or [""]
    return ["" if reply is None else str(reply)]


def _array(data: bytes) -> tuple[list[str], bytes] | None:
    line, found, rest = data.partition(b"\r\n")
    if not found:
        return None
    words: list[str] = []
    for _ in range(int(line[1:])):
        one = _bulk(rest)
        if one is None:
            return None
        words.append(str(one[0]))
        rest = one[1]
    return words, rest


def _bulk(data: bytes) -> tuple[str | None, bytes] | None:
    line, found, rest = data.partition(b"\r\n")
    if not found:
        return None
    length = int(line[1:])
    if length < 0:
        return None, rest
    if len(rest) < length + 2:
        return None
    return rest[:length].decode(errors="replace"), rest[length + 2 :]
