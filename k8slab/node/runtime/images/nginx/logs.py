"""The two logs: what was asked, and what went wrong.

In the image both lead to the container's own output.

Upstream: nginx src/http/modules/ngx_http_log_module.c, src/core/ngx_log.c
"""

from __future__ import annotations

from k8slab.node.runtime.images.nginx.config import absolute
from k8slab.node.runtime.images.nginx.syntax import Directive
from k8slab.node.runtime.images.nginx.visit import VARIABLE, Visit
from k8slab.node.runtime.process import Process

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)
DEFAULT = Directive("access_log", ("/var/log/nginx/access.log",), "", 0)
MASTER, WORKER = "1#1", "29#29"  # process and thread


def access(visit: Visit) -> None:
    """Log a request that was answered, as access_log and log_format say."""
    lines = visit.block.all("access_log") or (DEFAULT,)
    if any(line.args[0] == "off" for line in lines):
        return
    formats = {each.args[0]: each.args[1:] for each in visit.config.http.all("log_format")}
    for line in lines:
        words = formats.get(line.args[1] if len(line.args) > 1 else "", (COMBINED,))
        form = "".join(word for word in words if not word.startswith("escape="))
        text = VARIABLE.sub(lambda found: visit.value(found[1] or found[2]) or "-", form)
        _write(visit.process, line.args[0], text)


def _write(process: Process, path: str, line: str) -> None:
    if path == "/dev/stderr":
        process.error(line)
    elif path in ("/dev/stdout", "/var/log/nginx/access.log"):
        process.log(line)
    else:
        process.write(absolute(path), f"{line}\n", append=True)


def error(process: Process, text: str) -> None:
    """Log what went wrong with a request."""
    process.error(f"{moment(process)} [error] {WORKER}: {text}")


def notice(process: Process, text: str, level: str = "notice") -> None:
    """Log what the master does."""
    process.error(f"{moment(process)} [{level}] {MASTER}: {text}")


def moment(process: Process) -> str:
    """Return the present time as error logs have it."""
    from k8slab.api.meta import timestamp

    when = timestamp(process.sim.now)
    return f"{when[:10].replace('-', '/')} {when[11:19]}"
