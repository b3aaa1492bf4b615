"""The master process: options, the configuration, the ports, signals.

Rule of use: `main` is the program of the image; `nginx -t`, `-T`, `-s reload` are the same program,
run beside it.

Upstream: nginx src/core/nginx.c, src/os/unix/ngx_process_cycle.c
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial

from k8slab.linux.errors import AddressInUse
from k8slab.linux.tcp_open import Listener
from k8slab.node import http
from k8slab.node.runtime.images.nginx import logs
from k8slab.node.runtime.images.nginx.config import Config, absolute, load
from k8slab.node.runtime.images.nginx.content import Answering
from k8slab.node.runtime.images.nginx.pages import SERVER
from k8slab.node.runtime.images.nginx.syntax import ConfigError, Directive
from k8slab.node.runtime.images.nginx.upstream import everywhere, groups_of
from k8slab.node.runtime.images.nginx.visit import check_variables
from k8slab.node.runtime.process import SIGNALS, Process
from k8slab.node.runtime.serving import serve_http
from k8slab.sim import Signal

CONFIG = "/etc/nginx/nginx.conf"
TEMPLATES, SITES = "/etc/nginx/templates/", "/etc/nginx/conf.d/"
SSL_FILES = ("ssl_certificate", "ssl_certificate_key")
START = 0.05  # s, docker-entrypoint.sh and the master process


async def main(process: Process) -> int:
    """Serve until SIGTERM or SIGQUIT; with an option do what that asks for and end."""
    code = await _command(process)
    return await Master(process).run() if code is None else code


class Master:
    """nginx as process 1 of its container."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._listeners: dict[int, Listener] = {}
        self._answering: Answering | None = None
        self._path = _option(process, "-c", CONFIG)
        self._reload = Signal(process.sim, "SIGHUP")

    async def run(self) -> int:
        """Serve until the stop signal."""
        process = self._process
        process.handle_sigterm()
        process.memory = 8 << 20
        await process.sleep(START)
        if process.args[0].endswith(".sh"):
            process.args = process.args[1:]  # the script ends with exec "$@"
            _fill_templates(process)
            process.log("/docker-entrypoint.sh: Configuration complete; ready for start up")
        try:
            await self._configure()
        except ConfigError as error:
            self._emergency(str(error))
            return 1
        logs.notice(process, SERVER)
        logs.notice(process, "start worker processes")
        process.on_signal("HUP", self._reload.set)
        process.spawn(self._reloads(), "reload")
        await process.terminated.wait()
        logs.notice(process, "exit")
        return 0

    async def _configure(self) -> None:
        """Read the configuration and serve by it. Raises ConfigError; then nothing has changed."""
        process = self._process
        config, directives = read(process, self._path)
        groups = await groups_of(process, config, directives)
        for each in config.untouched:
            process.error(f"k8slab: nginx's {each.name} is not simulated ({each.where})")
        self._answering = Answering(process, config, groups)
        ports = [listen.port for server in config.servers for listen in server.listens]
        for port in [port for port in self._listeners if port not in ports]:
            self._listeners.pop(port).close()
        for port in dict.fromkeys(ports):
            if port not in self._listeners:
                self._listeners[port] = self._listen(port)

    def _listen(self, port: int) -> Listener:
        try:
            return serve_http(self._process, port, partial(self._answer, port))
        except AddressInUse:
            raise ConfigError(
                f"bind() to 0.0.0.0:{port} failed (98: Address already in use)"
            ) from None

    async def _answer(self, port: int, request: http.Request) -> http.Response:
        assert self._answering is not None
        return await self._answering.handle(request, port)

    async def _reloads(self) -> None:
        """Read the configuration again at each SIGHUP; a wrong one leaves the old in force."""
        while True:
            await self._reload.wait()
            self._reload = Signal(self._process.sim, "SIGHUP")
            self._process.on_signal("HUP", self._reload.set)
            logs.notice(self._process, "signal 1 (SIGHUP) received, reconfiguring")
            try:
                await self._configure()
            except ConfigError as error:
                logs.notice(self._process, str(error), "emerg")

    def _emergency(self, text: str) -> None:
        logs.notice(self._process, text, "emerg")
        self._process.error(f"nginx: [emerg] {text}")


def read(process: Process, path: str) -> tuple[Config, tuple[Directive, ...]]:
    """Return the configuration, and all of its directives. Raises ConfigError."""
    config = load(path, partial(_files, process))
    directives = tuple(everywhere(config.main.own))
    check_variables(config.main.own)
    for each in directives:
        if each.name in SSL_FILES and not process.exists(absolute(each.args[0])):
            raise ConfigError(
                f'cannot load certificate "{absolute(each.args[0])}": BIO_new_file() failed '
                "(SSL: error:80000002:system library::No such file or directory)"
            )
    return config, directives


def _files(process: Process, pattern: str) -> Mapping[str, str]:
    """Return the files that a path or pattern means, by path."""
    if not any(letter in pattern for letter in "*?["):
        try:
            return {pattern: process.read(pattern)}
        except FileNotFoundError:
            return {}
    place = pattern.rpartition("/")[0]
    folder, rest = process.folder(place)
    depth = rest.count("/") + 1 if rest else 0
    names = [path for path in folder.list(rest) if path.count("/") == depth]
    paths = [f"{place}/{name.rpartition('/')[2]}" for name in names]
    return {path: process.read(path) for path in paths if fnmatchcase(path, pattern)}


def _fill_templates(process: Process) -> None:
    """Do what 20-envsubst-on-templates.sh does: variables of the environment become text."""
    for path, text in _files(process, f"{TEMPLATES}*.template").items():
        for name, value in process.env.items():
            text = text.replace(f"${{{name}}}", value).replace(f"${name}", value)
        process.write(SITES + path.removeprefix(TEMPLATES).removesuffix(".template"), text)


# -- options


async def _command(process: Process) -> int | None:
    """Do what an option asks for and return the exit code, None if nginx is to serve."""
    options = process.args[1:]
    if "-v" in options or "-V" in options:
        process.error(f"nginx version: {SERVER}")
        return 0
    if "-t" in options or "-T" in options:
        return await _test(process, show="-T" in options)
    if "-s" in options[:-1]:
        return _signal(process, options[options.index("-s") + 1])
    return None


async def _test(process: Process, *, show: bool) -> int:
    path = _option(process, "-c", CONFIG)
    try:
        config, directives = read(process, path)
        await groups_of(process, config, directives)
    except ConfigError as error:
        process.error(f"nginx: [emerg] {error}")
        process.error(f"nginx: configuration file {path} test failed")
        return 1
    process.error(f"nginx: the configuration file {path} syntax is ok")
    process.error(f"nginx: configuration file {path} test is successful")
    if show:
        names = dict.fromkeys([path, *(each.file for each in directives)])
        for name in names:
            process.log(f"# configuration file {name}:\n{process.read(name)}")
    return 0


def _signal(process: Process, name: str) -> int:
    number = {"quit": "QUIT", "stop": "TERM", "reload": "HUP", "reopen": "USR1"}.get(name)
    if number is None:
        process.error(f'nginx: invalid option: "-s {name}"')
        return 1
    if name != "reopen":
        process.container.kill(SIGNALS[number])
    return 0


def _option(process: Process, flag: str, default: str) -> str:
    options = process.args
    return options[options.index(flag) + 1] if flag in options[:-1] else default
