"""curl: HTTP requests, told as curl tells them; those of one command share what stays open.

Options: -s -S -f -i -I -k -L -v -o FILE -w FORMAT -m SECONDS --connect-timeout -X METHOD -H HEADER
-d DATA --retry N. Exit codes: 6 no such name, 7 no connection, 22 with -f, 28 too late, 52 empty.

Upstream: curl docs/libcurl/libcurl-errors.md, docs/cmdline-opts
"""

from __future__ import annotations

import re

from k8slab.client.learner import ReplacementError
from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.resolver import ResolutionError
from k8slab.linux.tcp import Connection
from k8slab.node import http
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.url import BadUrl, Url, parse_url

AGENT = "curl/8.17.0"
FLAGS = "sSfiIkLvgnN#46"
VALUED = {
    "o": "output", "w": "write-out", "m": "max-time", "X": "request", "H": "header", "d": "data",
    "u": "user", "A": "user-agent",
}  # fmt: skip
LONG_FLAGS = {
    "silent": "s", "show-error": "S", "fail": "f", "include": "i", "head": "I", "insecure": "k",
    "location": "L", "verbose": "v",
}  # fmt: skip
LONG_VALUED = (*VALUED.values(), "connect-timeout", "retry", "retry-delay", "data-raw", "resolve")
REDIRECTS = 50

Kept = dict[tuple[str, int], Connection]  # what stays open, by host and port


class CurlFailed(Exception):  # noqa: N818 (curl's own word)
    """The transfer failed with one of curl's exit codes."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Options:
    """The command line, read."""

    def __init__(self, words: list[str]) -> None:
        self.flags: dict[str, bool] = {}
        self.values: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.urls: list[str] = []
        while words:
            word = words.pop(0)
            if word.startswith("--"):
                self._long(word[2:], words)
            elif word.startswith("-") and len(word) > 1:
                self._short(word[1:], words)
            else:
                self.urls.append(word)

    def _long(self, name: str, words: list[str]) -> None:
        if name in LONG_FLAGS:
            self.flags[LONG_FLAGS[name]] = True
        elif name in LONG_VALUED:
            self._value(name, words.pop(0) if words else "")
        elif name not in ("compressed", "no-progress-meter", "http1.1"):
            raise CurlFailed(2, f"option --{name}: is unknown")

    def _short(self, letters: str, words: list[str]) -> None:
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in VALUED:
                self._value(VALUED[letter], letters or (words.pop(0) if words else ""))
                return
            if letter not in FLAGS:
                raise CurlFailed(2, f"option -{letter}: is unknown")
            self.flags[letter] = True

    def _value(self, name: str, value: str) -> None:
        if name == "header":
            key, _, text = value.partition(":")
            self.headers[key] = text.strip()
        else:
            self.values["data" if name == "data-raw" else name] = value

    def seconds(self, name: str) -> float | None:
        """Return an option's seconds, None if it is not given."""
        return float(self.values[name]) if name in self.values else None


async def main(process: Process) -> int:
    """Fetch the URLs and return the exit code of the last."""
    words = list(process.args[1:])
    if words[:1] == ["curl"]:
        words.pop(0)
    try:
        options = Options(words)
    except CurlFailed as error:
        process.error(f"curl: {error}")
        return error.code
    if not options.urls:
        process.error("curl: (2) no URL specified")
        return 2
    code = 0
    kept = Kept()
    try:
        for text in options.urls:
            code = await _with_retries(process, options, text, kept)
    finally:
        for connection in kept.values():
            connection.close()
    return code


async def _with_retries(process: Process, options: Options, text: str, kept: Kept) -> int:
    code = 0
    for attempt in range(int(options.values.get("retry", "0")) + 1):
        if attempt:
            await process.sleep(float(options.values.get("retry-delay", 2 ** (attempt - 1))))
        code = await _transfer(process, options, text, kept)
        if code == 0:
            break
    return code


async def _transfer(process: Process, options: Options, text: str, kept: Kept) -> int:
    start = process.sim.now
    try:
        url, answer, connected = await _follow(process, options, parse_url(text), kept)
    except BadUrl:
        failure = CurlFailed(3, f"URL rejected: {text}")
    except CurlFailed as error:
        failure = error
    else:
        return _show(process, options, url, answer, (start, connected))
    _write_out(process, options, {"http_code": "000", "exitcode": str(failure.code)}, start, 0.0)
    if "s" not in options.flags or "S" in options.flags:
        process.error(f"curl: ({failure.code}) {failure}")
    return failure.code


async def _follow(
    process: Process, options: Options, url: Url, kept: Kept
) -> tuple[Url, http.Response, float]:
    for _ in range(REDIRECTS):
        answer, connected = await Transfer(process, options, url, kept).run()
        location = answer.header("Location")
        if "L" not in options.flags or answer.status not in (301, 302, 303, 307, 308):
            return url, answer, connected
        full = location if "://" in location else f"{url.scheme}://{url.authority}{location}"
        url = parse_url(full)
    raise CurlFailed(47, f"Maximum ({REDIRECTS}) redirects followed")


class Transfer:
    """One request and its answer, on a connection that was kept or on a new one."""

    def __init__(self, process: Process, options: Options, url: Url, kept: Kept) -> None:
        self._process, self._options, self._url, self._kept = process, options, url, kept
        self._start = process.sim.now

    async def run(self) -> tuple[http.Response, float]:
        """Return the answer, and when there was a connection; raise CurlFailed."""
        url = self._url
        if url.scheme == "https":
            raise CurlFailed(35, f"TLS is not simulated: use http://{url.host}")
        connection = self._kept.pop((url.host, url.port), None)
        if connection is not None:
            self._say(f"* Reusing existing http: connection with host {url.host}")
            url.ip = connection.remote[0]
            try:
                return await self._exchange(connection), self._start
            except (EOFError, NetworkError):  # the server has closed it meanwhile
                self._say("* Connection died, retrying a fresh connect")
        connection = await self._connect()
        connected = self._process.sim.now
        self._say(f"* Connected to {url.host} ({url.ip}) port {url.port}")
        try:
            return await self._exchange(connection), connected
        except TimedOut:
            took = f"{self._elapsed()} milliseconds with 0 bytes received"
            raise CurlFailed(28, f"Operation timed out after {took}") from None
        except EOFError:
            raise CurlFailed(52, "Empty reply from server") from None
        except http.BadMessage:
            raise CurlFailed(1, "Received HTTP/0.9 when not allowed") from None
        except NetworkError as error:
            raise CurlFailed(56, f"Recv failure: {error.words}") from None

    async def _connect(self) -> Connection:
        process, url = self._process, self._url
        try:
            url.ip = await process.resolve(url.host)
        except ResolutionError:
            raise CurlFailed(6, f"Could not resolve host: {url.host}") from None
        self._say(f"*   Trying {url.ip}:{url.port}...")
        bounds = (self._options.seconds("connect-timeout"), self._left())
        patience = min((bound for bound in bounds if bound is not None), default=None)
        where = f"Failed to connect to {url.host} port {url.port} after"
        try:
            return await process.net.connect(
                url.ip, url.port, timeout=patience, owner=process.group
            )
        except TimedOut:
            took = self._elapsed()
            if patience is not None:
                raise CurlFailed(28, f"Connection timed out after {took} milliseconds") from None
            raise CurlFailed(28, f"{where} {took} ms: Could not connect to server") from None
        except NetworkError:
            failed = f"{where} {self._elapsed()} ms: Could not connect to server"
            raise CurlFailed(7, failed) from None

    async def _exchange(self, connection: Connection) -> http.Response:
        """Return the answer; the connection is kept for the next request, or closed."""
        request = _message(self._options, self._url)
        for line in request.encode().decode().partition("\r\n\r\n")[0].split("\r\n"):
            self._say(f"> {line}")
        self._say(">")
        stays = False
        try:
            answer = await http.exchange(connection, request, self._left())
            stays = (self._process.net.keeps_open or http.keeps_open)(request, answer)
        except ReplacementError as error:
            raise CurlFailed(2, str(error)) from None
        finally:
            if not stays:
                connection.close()
        if stays:
            self._kept[self._url.host, self._url.port] = connection
        return answer

    def _elapsed(self) -> int:
        return round((self._process.sim.now - self._start) * 1000)

    def _left(self) -> float | None:
        limit = self._options.seconds("max-time")
        return None if limit is None else max(0.0, self._start + limit - self._process.sim.now)

    def _say(self, line: str) -> None:
        _verbose(self._process, self._options, line)


def _message(options: Options, url: Url) -> http.Request:
    body = options.values.get("data", "").encode()
    method = "HEAD" if "I" in options.flags else ("POST" if "data" in options.values else "GET")
    headers = {"Host": url.authority, "User-Agent": options.values.get("user-agent", AGENT)}
    headers["Accept"] = "*/*"
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    chosen = options.values.get("request", method)
    return http.Request(chosen, url.target, {**headers, **options.headers}, body)


def _show(
    process: Process, options: Options, url: Url, answer: http.Response, times: tuple[float, float]
) -> int:
    head = [f"{answer.version} {answer.status} {answer.reason}"]
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    for line in [*head, ""]:
        _verbose(process, options, f"< {line}")
    failed = "f" in options.flags and answer.status >= 400
    if {"i", "I"} & options.flags.keys():
        process.stdout.write("\r\n".join([*head, "", ""]))
    if not failed:
        path = options.values.get("output", "-")
        if path == "-":
            process.stdout.write(answer.text)
        elif path != "/dev/null":
            process.write(path, answer.text)
    size = str(len(answer.body))
    values = {"http_code": str(answer.status), "size_download": size, "remote_ip": url.ip}
    _write_out(process, options, values, *times)
    if failed:
        if "s" not in options.flags or "S" in options.flags:
            process.error(f"curl: (22) The requested URL returned error: {answer.status}")
        return 22
    return 0


def _write_out(
    process: Process, options: Options, values: dict[str, str], start: float, connected: float
) -> None:
    """Print what -w asks for: %{http_code}, %{time_total} and their like."""
    from k8slab.node.runtime.images.busybox.standalone import unescape

    form = options.values.get("write-out", "")
    values = {
        "response_code": values["http_code"], "exitcode": "0",
        "time_total": f"{process.sim.now - start:.6f}",
        "time_connect": f"{max(connected - start, 0):.6f}", **values,
    }  # fmt: skip
    process.stdout.write(
        unescape(re.sub(r"%\{(\w+)\}", lambda found: values.get(found[1], ""), form))
    )


def _verbose(process: Process, options: Options, line: str) -> None:
    if "v" in options.flags:
        process.error(line)
