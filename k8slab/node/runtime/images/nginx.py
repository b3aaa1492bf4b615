"""nginx: serves the files of /usr/share/nginx/html and logs a line per request.

`listen` and `return` directives of a mounted /etc/nginx/conf.d/*.conf are honoured; the rest of
nginx's configuration language is not simulated.

Upstream: nginx, docker-library nginx
"""

from __future__ import annotations

import re

from k8slab.linux.errors import AddressInUse
from k8slab.node import http
from k8slab.node.runtime.images import static_files
from k8slab.node.runtime.process import SIGNALS, Process
from k8slab.node.runtime.serving import access_line, serve_http

SERVER = "nginx/1.29.4"
ROOT = "/usr/share/nginx/html"
CONFIG = "/etc/nginx/conf.d"
START = 0.05  # s, docker-entrypoint.sh and the master process


async def main(process: Process) -> int:
    """Serve until SIGTERM or SIGQUIT; `nginx -v`, -t and -s quit answer and end."""
    if (code := _command(process)) is not None:
        return code
    process.handle_sigterm()
    process.memory = 8 << 20
    await process.sleep(START)
    if process.args[0].endswith(".sh"):
        process.args = process.args[1:]  # the script ends with exec "$@"
    process.log("/docker-entrypoint.sh: Configuration complete; ready for start up")
    ports, fixed = configuration(_config(process), process.env.get("NGINX_PORT", "80"))

    def answer(request: http.Request) -> http.Response:
        response = fixed or static_files.find(process, ROOT, request, SERVER)
        process.log(f'{access_line(process, request, response)} "-"')
        return response

    try:
        for port in ports:
            serve_http(process, port, answer)
    except AddressInUse:
        process.error(
            f"nginx: [emerg] bind() to 0.0.0.0:{port} failed (98: Address already in use)"
        )
        return 1
    process.error(f"{_notice(process)} {SERVER}")
    process.error(f"{_notice(process)} start worker processes")
    await process.terminated.wait()
    process.error(f"{_notice(process)} exit")
    return 0


def _command(process: Process) -> int | None:
    """Do what an option asks for and return the exit code, None if nginx is to serve."""
    options = process.args[1:]
    if "-v" in options:
        process.error(f"nginx version: {SERVER}")
    elif "-t" in options:
        process.error("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok")
        process.error("nginx: configuration file /etc/nginx/nginx.conf test is successful")
    elif "-s" in options[:-1]:
        if options[-1] not in ("quit", "stop"):
            process.error(f"nginx: -s {options[-1]} is not simulated: restart the container")
            return 1
        process.container.kill(SIGNALS["QUIT"])
    else:
        return None
    return 0


def configuration(text: str, port: str) -> tuple[list[int], http.Response | None]:
    """Return the ports and the fixed answer that a configuration asks for.

    >>> configuration("server { listen 8080; location / { return 200 'hi'; } }", "80")[0]
    [8080]
    """
    ports = [int(found) for found in re.findall(r"\blisten\s+(?:[\d.]+:)?(\d+)", text)]
    fixed = re.search(r"""\breturn\s+(\d{3})(?:\s+(?:'([^']*)'|"([^"]*)"|([^;'"]+)))?\s*;""", text)
    answer = None
    if fixed is not None:
        body = next((part for part in fixed.groups()[1:] if part is not None), "")
        answer = http.text(body.replace("\\n", "\n"), int(fixed[1]))
    return list(dict.fromkeys(ports)) or [int(port)], answer


def _config(process: Process) -> str:
    folder, rest = process.folder(CONFIG)
    return "\n".join(str(folder.read(path)) for path in folder.list(rest) if path.endswith(".conf"))


def _notice(process: Process) -> str:
    from k8slab.api.meta import timestamp

    when = timestamp(process.sim.now)
    return f"{when[:10].replace('-', '/')} {when[11:19]} [notice] 1#1:"
