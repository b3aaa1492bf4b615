"""A gateway in front of an API server with controllers and nodes: what recorded facts need."""

from __future__ import annotations

import json
import re
from typing import Any

from k8slab.gateway.gateway import Gateway
from k8slab.gateway.messages import HttpResponse, http_request
from tests.control_plane.controllers.conftest import ControllerLab
from tests.gateway.conftest import Direct

SETTLE = 2.0  # s of virtual time after each write
POD = re.compile(r"\b(\w+-[0-9a-z]{8,10}-)[0-9a-z]{5}\b")  # of a Deployment


class WholeLab:
    """Controllers, stand-ins for kubelets, and a gateway."""

    def __init__(self) -> None:
        self.lab = ControllerLab(nodes=4)
        self.sim = self.lab.sim
        self.gateway = Gateway(self.sim, Direct(self.lab.server))
        self._names: dict[str, str] = {}  # of Pods: as recorded, and ours

    def send(self, request: Any) -> HttpResponse:
        """Send a recorded request, with the names that Pods have here."""
        headers = {k.lower(): v for k, v in (request.get("headers") or {}).items()}
        headers.setdefault("user-agent", "orc/1")
        body = request.get("body")
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        http = http_request(
            request["method"],
            POD.sub(self._ours, request["path"]),
            headers=headers,
            body=POD.sub(self._ours, text).encode(),
        )
        answer = self.sim.complete(self.gateway.handle(http), request["path"], 60.0)
        if request["method"] != "GET":
            self.sim.run(self.sim.now + SETTLE)
        assert isinstance(answer, HttpResponse)
        return answer

    def _ours(self, match: re.Match[str]) -> str:
        recorded, start = match[0], match[1]
        if recorded not in self._names:
            taken = self._names.values()
            found = [pod.metadata.name for pod in self.lab.all("Pod", namespace="")]
            free = [name for name in found if name.startswith(start) and name not in taken]
            self._names[recorded] = free[0] if free else recorded
        return self._names[recorded]
