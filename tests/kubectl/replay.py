"""Replays recorded kubectl sessions in a cluster of the lab, and compares what is printed.

A recording holds what was done before (`setup`), a command, and what real kubectl printed. Names,
times, addresses and hashes differ from cluster to cluster: both sides are made alike by
`normalised`, and lines compared in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8slab.kubectl import Result
from tests.kubectl.stage import Stage

RULES: tuple[tuple[str, str], ...] = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"(containerd|sha256|docker\.io/\S+@sha256):(//)?[0-9a-f]{64}", "<id>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)", "<time>"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "<time>"),
    (r"\b\d{1,3}(\.\d{1,3}){3}(/\d+)?\b", "<ip>"),
    (r"\b(web|api)-[0-9a-z]{8,10}(-[0-9a-z]{5})?\b", r"\1-<hash>"),
    (r"pod-template-hash=[0-9a-z]+", "pod-template-hash=<hash>"),
    (r"\b(agent|once|db|lb|web|manual)-[0-9bcdfghjklmnpqrstvwxz]{5}\b", r"\1-<suffix>"),
    (r"\b(agent|db)-[0-9a-z]{8,10}\b", r"\1-<hash>"),
    (r"kube-api-access-[0-9a-z]{5}", "kube-api-access-<suffix>"),
    (r"\b(node|worker)-\d\b", "<node>"),
    (r"\bzone-[a-z]\b", "<zone>"),
    (r"\b3[0-2]\d{3}\b", "<nodeport>"),
    (r"v1\.3\d\.\d+", "<version>"),
    (r'("?resourceVersion"?: ?)"\d+"', r"\1<rv>"),
    (r"(?<![\w.])(\d+[ydhms])+(?![\w.])", "<age>"),
    (r"<age> \(x\d+ over <age>\)", "<age>"),
    (r"-{3,}", "---"),
    (r" {2,}", "  "),
)
POD = re.compile(r"\bweb-[0-9a-z]{8,10}-[0-9a-z]{5}\b")


def normalised(text: str) -> list[str]:
    """Return the lines of an output without what differs from cluster to cluster, sorted."""
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return sorted(line.rstrip() for line in text.splitlines())


def outline(text: str) -> list[str]:
    """Return what `kubectl explain` says but for the sentences: fields, types, words, in order.

    The lab describes fields in its own words.
    """
    kept: list[str] = []
    words = False  # a list of words, whose lines look like those of a sentence
    for line in text.splitlines():
        if not line.startswith("    "):
            words = line == "ENUM:"
        choice = re.match(r' +- `"\w+"`', line)
        if choice or words or (line and not line.startswith("    ")):
            kept.append(choice[0] if choice else line)
    return kept


class Session:
    """One scene: a fresh cluster, and all that is done in it in turn."""

    def __init__(self) -> None:
        self.stage = Stage()
        self._done = 0
        self._since: list[str] = []

    def play(self, recording: dict[str, Any]) -> Result:
        """Do what was done before, then the command, and return what it printed."""
        for step in recording["setup"][self._done :]:
            command = step.get("command")
            if command in self._since:  # it was a recording itself, and is done
                del self._since[: self._since.index(command) + 1]
            else:
                self._step(step)
        if len(recording["setup"]) > self._done:
            self._done, self._since = len(recording["setup"]), []
        self._since.append(recording["command"])
        return self.kubectl(recording["command"], recording.get("stdin") or "")

    def _step(self, step: dict[str, Any]) -> None:
        if "manifest" in step:
            self.kubectl("apply -f -", step["manifest"])
        elif "settle_seconds" in step:
            self.stage.run(float(step["settle_seconds"]))
        else:
            self.kubectl(step.get("command") or step["wait"], step.get("stdin") or "")

    def kubectl(self, command: str, stdin: str = "") -> Result:
        """Run a command, with the names of this cluster."""
        if POD.search(command):
            names = self.stage.kubectl("get pods -l app=web -o name").stdout.split()
            first = names[0].removeprefix("pod/") if names else "none"
            command = POD.sub(first, command)
        return self.stage.kubectl(command, stdin)


def agrees(recording: dict[str, Any], result: Result) -> bool:
    """Say whether the lab printed what kubectl printed."""
    alike = outline if group_of(recording["command"]) == "explain" else normalised
    return (
        alike(result.stdout) == alike(recording["stdout"])
        and normalised(result.stderr) == normalised(recording["stderr"])
        and result.exit_code == recording["rc"]
    )


def group_of(command: str) -> str:
    """Return the verb of a recorded command."""
    return command.split()[1]


def scenes(recordings: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Result]]:
    """Yield each recording with what the lab printed."""
    session, scene = None, ""
    for recording in recordings:
        if session is None or recording["scene"] != scene:
            session, scene = Session(), recording["scene"]
        yield recording, session.play(recording)
