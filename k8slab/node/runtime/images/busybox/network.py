"""The network: wget, ping, nc, ip. What they print is what busybox prints.

Every one of them sends real packets through the Pod's namespace: wget to a Service goes through
the node's rules.

Upstream: busybox networking/
"""

from __future__ import annotations

from k8slab.linux.addresses import joined
from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.resolver import ResolutionError
from k8slab.linux.ss_command import tcp_rows, udp_rows
from k8slab.node import http
from k8slab.node.runtime.images.busybox.arguments import UsageError, options
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.url import BadUrl, Url, parse_url

WGET_TIMEOUT = 900.0  # s, busybox wget's default for one wait
PING_INTERVAL = 1.0  # s


async def wget(process: Process) -> int:
    """Fetch a URL: -q quiet, -O file or -, -S headers, -T seconds, --spider; 1 on failure."""
    long = (
        "spider", "server-response", "quiet", "timeout=", "output-document=", "header=*",
        "no-check-certificate", "post-data=", "tries=",
    )  # fmt: skip
    try:
        found, rest = options(process, "qScY", "OTtUP", long)
    except UsageError as error:
        process.error(f"wget: {error}")
        return 1
    try:
        url = parse_url(rest[0] if rest else "")
        quiet = "q" in found or "quiet" in found
        timeout = float(found.get("T") or found.get("timeout") or WGET_TIMEOUT)
        return await _fetch(process, url, found, quiet, timeout)
    except BadUrl as error:
        process.error(f"wget: {error}")
    except ResolutionError:
        process.error(f"wget: bad address '{url.authority}'")
    except TimedOut:
        process.error("wget: download timed out")
    except NetworkError as error:
        process.error(f"wget: can't connect to remote host ({url.ip}): {error.words}")
    except (EOFError, http.BadMessage):
        process.error("wget: error getting response")
    return 1


async def _fetch(
    process: Process, url: Url, found: dict[str, str], quiet: bool, timeout: float
) -> int:
    ip = url.ip = await process.resolve(url.host)
    if not quiet:
        process.error(f"Connecting to {url.authority} ({joined(ip, url.port)})")
    connection = await process.net.connect(ip, url.port, timeout=timeout, owner=process.group)
    body = found.get("post-data", "").encode()
    headers = {"Host": url.authority, "User-Agent": "Wget", "Connection": "close"}
    for line in found.get("header", "").splitlines():
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    request = http.Request("POST" if body else "GET", url.target, headers, body)
    try:
        answer = await http.exchange(connection, request, timeout)
    finally:
        connection.close()
    if "S" in found or "server-response" in found:
        process.error(f"  {answer.version} {answer.status} {answer.reason}")
        for key, text in answer.headers.items():
            process.error(f"  {key}: {text}")
        process.error("")
    if answer.status >= 400:
        process.error(
            f"wget: server returned error: {answer.version} {answer.status} {answer.reason}"
        )
        return 1
    return _keep(process, url.target, answer, found, quiet)


def _keep(
    process: Process, target: str, answer: http.Response, found: dict[str, str], quiet: bool
) -> int:
    """Write the body where it belongs."""
    if "spider" in found:
        if not quiet:
            process.error("remote file exists")
        return 0
    path = found.get("O") or found.get("output-document") or ""
    if path == "-":
        process.stdout.write(answer.text)
        if not quiet:
            process.error("-                    100% |********************************|")
        return 0
    path = path or target.partition("?")[0].rpartition("/")[2] or "index.html"
    if path == "/dev/null":
        return 0
    try:
        process.write(path, answer.text)
    except PermissionError as error:
        process.error(f"wget: can't open '{path}': {error}")
        return 1
    if not quiet:
        process.error(f"saving to '{path}'\n'{path}' saved")
    return 0


async def ping(process: Process) -> int:
    """Send ICMP echoes: -c count, -W seconds to wait, -q; exit code 1 if none is answered."""
    found, rest = options(process, "q46", "cWwIisA")
    count, wait = int(found.get("c", 0)), float(found.get("W", 10))
    host = rest[0]
    try:
        ip = await process.resolve(host)
    except ResolutionError:
        process.error(f"ping: bad address '{host}'")
        return 1
    process.log(f"PING {host} ({ip}): 56 data bytes")
    times: list[float] = []
    sent = 0
    while not count or sent < count:
        start = process.sim.now
        try:
            times.append(await process.net.ping(ip, timeout=wait) * 1000)
            process.log(f"64 bytes from {ip}: seq={sent} ttl=64 time={times[-1]:.3f} ms")
        except TimedOut:
            pass
        except NetworkError as error:
            if not error.told_by:  # of errors that others send it says nothing
                process.error(f"ping: sendto: {error.words}")
                return 1
        sent += 1
        if sent != count:
            await process.sleep(max(0.0, start + PING_INTERVAL - process.sim.now))
    lost = round(100 * (sent - len(times)) / sent)
    process.log(f"\n--- {host} ping statistics ---")
    process.log(f"{sent} packets transmitted, {len(times)} packets received, {lost}% packet loss")
    if times:
        mean = sum(times) / len(times)
        process.log(f"round-trip min/avg/max = {min(times):.3f}/{mean:.3f}/{max(times):.3f} ms")
    return 0 if times else 1


async def nc(process: Process) -> int:
    """Connect to a port, or listen (-l): -p own port, -u UDP, -z only tries, -w seconds, -v tells.

    The own port of a connection is always a free one; of datagrams it is the one of -p.
    """
    found, rest = options(process, "zvnlkuNq", "wpe")
    if "l" in found:
        return await _listen(process, int(found.get("p") or rest[-1]), keep="k" in found)
    host, port = rest[0], int(rest[1])
    timeout = float(found["w"]) if "w" in found else None
    try:
        ip = await process.resolve(host)
        if "u" in found:
            return await _datagrams(process, ip, port, timeout, int(found.get("p", 0)))
        connection = await process.net.connect(ip, port, timeout=timeout, owner=process.group)
    except ResolutionError:
        process.error(f"nc: bad address '{host}'")
        return 1
    except NetworkError as error:
        words = "Connection timed out" if isinstance(error, TimedOut) else error.words
        if "v" in found or "z" not in found:
            process.error(f"nc: {host} ({joined(ip, port)}): {words}")
        return 1
    if "v" in found:
        process.error(f"{host} ({joined(ip, port)}) open")
    if "z" in found:
        connection.close()
        return 0
    text = await process.stdin.read() if process.stdin is not None else ""
    try:
        await connection.send(text.encode())
        while data := await connection.recv(timeout):
            process.stdout.write(data.decode(errors="replace"))
    except NetworkError:
        pass
    connection.close()
    return 0


async def _datagrams(process: Process, ip: str, port: int, timeout: float | None, own: int) -> int:
    """Send what is typed as one datagram and print the answers until none comes for a while."""
    text = await process.stdin.read() if process.stdin is not None else ""
    socket = process.udp(own)
    try:
        socket.connect(ip, port)
        socket.send(text.encode())
        while True:
            data, _ = await socket.recv_from(timeout)
            process.stdout.write(data.decode(errors="replace"))
    except TimedOut:
        return 0
    finally:
        socket.close()


async def _listen(process: Process, port: int, *, keep: bool) -> int:
    listener = process.listen(port)
    while True:
        connection = await listener.accept()
        if process.stdin is not None and (text := await process.stdin.read()):
            await connection.send(text.encode())
            connection.close()
        while data := await connection.recv():
            process.stdout.write(data.decode(errors="replace"))
        connection.close()
        if not keep:
            return 0


async def hostname(process: Process) -> int:
    """Print the host name; -i the address."""
    if "-i" in process.args[1:]:
        own = [ip for ip in process.net.local_addresses if not ip.startswith("127.")]
        process.log(" ".join(own))
    else:
        process.log(process.hostname)
    return 0


async def ip(process: Process) -> int:
    """Show addresses, links, routes of the Pod, as `ip addr` and its like do."""
    from k8slab.linux.commands import shell

    process.stdout.write(shell(process.net, " ".join(process.args)).rstrip("\n") + "\n")
    return 0


async def netstat(process: Process) -> int:
    """Show sockets: -l who listens, -a all; -t TCP, -u UDP; addresses are always numbers."""
    found, _ = options(process, "latunwp", "")
    listening, established = "l" in found or "a" in found, "l" not in found
    which = {(True, True): "servers and established", (True, False): "only servers"}
    process.stdout.write(
        f"Active Internet connections ({which.get((listening, established), 'w/o servers')})\n"
        f"{'Proto Recv-Q Send-Q'} {'Local Address':23} {'Foreign Address':23} State       \n"
    )
    both = ("t" in found) == ("u" in found)
    rows = tcp_rows(process.net, listening, established) if both or "t" in found else []
    rows += udp_rows(process.net, listening, established) if both or "u" in found else []
    for protocol, state, received, _, local, peer in rows:
        shown = {"ESTAB": "ESTABLISHED", "UNCONN": ""}.get(state, state)
        process.stdout.write(f"{protocol}   {received:>6} {0:6} {local:23} {peer:23} {shown:12}\n")
    return 0


async def ifconfig(process: Process) -> int:
    """Show addresses."""
    process.args = ("ip", "addr")
    return await ip(process)
