"""A cluster that is being served: the server, the clock, the folder with the kubeconfig.

    with cluster.serve() as url:
        ...                      # !kubectl get pods, curl, client libraries

Inside the block KUBECONFIG and KUBECACHEDIR point at the cluster, and the folder of this Python's
programs is on PATH, so that `!kubectl` in a cell finds both. Afterwards all is as before.

Rule of use: a context manager, entered once.

Upstream: none
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from k8slab.client import Transport
from k8slab.gateway import kubeconfig
from k8slab.gateway.driver import Driver
from k8slab.gateway.gateway import Gateway
from k8slab.sim import Simulation


class Serving:
    """Serves a cluster while it is entered; `url` is where, `environment` how kubectl finds it."""

    def __init__(
        self,
        sim: Simulation,
        transport: Transport,
        lock: threading.RLock,
        *,
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        self._transport = transport
        self._gateway = Gateway(sim, transport)
        self._driver = Driver(sim, lock, speed)
        self._port = port
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._before: dict[str, str | None] = {}
        self.environment: dict[str, str] = {}
        self.url = ""

    def __enter__(self) -> str:
        from k8slab.gateway.server import Server

        self._server = Server(self._gateway, self._transport, self._driver, self._port)
        self._server.start()
        self.url = self._server.url
        self._folder = tempfile.TemporaryDirectory(prefix="k8slab-", ignore_cleanup_errors=True)
        self.environment = kubeconfig.write(Path(self._folder.name), self.url)
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        for name, value in {**self.environment, "PATH": path}.items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value
        return self.url

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self._folder is not None:
            self._folder.cleanup()
        if error is None and self._driver.failure is not None:
            raise self._driver.failure
