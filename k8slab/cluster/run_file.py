"""A run in a file: what the cluster was made of, what was done to it, and what must come out.

    k8slab-run 1 <SHA-256 of all that follows>
    {"k8slab": "0.1.0", "workers": 3, "seed": 7, ..., "inputs": [...], "end": {...}, "digest": ...}

The file holds no objects and no code, only the inputs: loading lives through the run again and
compares the digest of its trace. Everything in the file is checked before anything is done, and
kubectl is given the files' texts that the run has seen, never files of the machine that loads it.

Rule of use: `Cluster.save` and `Cluster.load`; a file that is no run raises RunFileError.

Upstream: none
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from k8slab.client import Latency
from k8slab.cluster.fork import ReplayError, replay
from k8slab.cluster.recording import Input, Position

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

VERSION = 1
HEAD = re.compile(rb"k8slab-run ([0-9]{1,6}) ([0-9a-f]{64})\n")
MOST_BYTES = 64 * 2**20
SHELL = 2  # arguments of the act "shell": a machine's name and a command


class RunFileError(ValueError):
    """A file is no run, or not the run that it says it is."""


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says."""

    k8slab: str  # the version that wrote it
    workers: Annotated[int, msgspec.Meta(ge=0, le=5000)]
    seed: int
    latency: Latency | None
    heartbeats: Literal["lazy", "events"]
    proxy_mode: Literal["iptables", "nftables"] = "iptables"
    ip_families: tuple[Literal["IPv4", "IPv6"], ...] = ("IPv4",)
    rbac: bool = False
    scheduler: str = ""  # its configuration
    cluster_dns: tuple[str, ...] = ()
    replaced: tuple[str, ...]  # the components that were the learner's own
    inputs: tuple[Input, ...]
    end: Position
    records: int
    digest: str  # of the trace


def save(cluster: Cluster, path: str | Path) -> None:
    """Write the run to a file; raises ReplayError if it cannot be replayed."""
    if cluster.recording.spoiled:
        when, why = cluster.recording.spoiled
        raise ReplayError(f"the run cannot be saved: at {when:.3f} s {why}")
    Path(path).write_bytes(encode(run_of(cluster)))


def load(kind: type[Cluster], path: str | Path, replace: Mapping[str, Any] | None) -> Cluster:
    """Live through the run in a file and return its cluster; raises RunFileError."""
    with Path(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    run = decode(content, str(path))
    check(kind, run, str(path))
    if sorted(replace or {}) != sorted(run.replaced):
        wanted = ", ".join(run.replaced) or "nothing"
        given = ", ".join(sorted(replace or {})) or "nothing"
        raise RunFileError(f"{path}: the run replaced {wanted}, load() was given {given}")
    cluster = kind(
        run.workers,
        run.seed,
        latency=run.latency,
        replace=replace,
        heartbeats=run.heartbeats,
        proxy_mode=run.proxy_mode,
        ip_families=run.ip_families,
        rbac=run.rbac,
        scheduler=run.scheduler,
        cluster_dns=run.cluster_dns,
        boot=False,
    )
    try:
        replay(cluster, run.inputs, run.end)
        come_out = len(cluster.trace), cluster.trace.digest()
    except ReplayError as error:
        come_out = len(cluster.trace), str(error)
    if come_out != (run.records, run.digest):
        raise RunFileError(
            f"{path}: the run comes out differently here. It was saved by k8slab {run.k8slab}: "
            "load it with that version and the same replaced parts; it has no images of one's own"
        )
    return cluster


def run_of(cluster: Cluster) -> Run:
    """Return what a file says of this run."""
    from k8slab import __version__

    made = cluster.made_of
    return Run(
        k8slab=__version__,
        workers=made["workers"],
        seed=made["seed"],
        latency=made["latency"],
        heartbeats=made["heartbeats"],
        proxy_mode=made["proxy_mode"],
        ip_families=made["ip_families"],
        rbac=made["rbac"],
        scheduler=made["scheduler"],
        cluster_dns=made["cluster_dns"],
        replaced=tuple(sorted(made["replace"] or {})),
        inputs=tuple(cluster.recording.inputs),
        end=cluster.recording.position,
        records=len(cluster.trace),
        digest=cluster.trace.digest(),
    )


def encode(run: Run) -> bytes:
    """Return the content of the file."""
    body = msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n"
    return b"k8slab-run %d %s\n" % (VERSION, hashlib.sha256(body).hexdigest().encode()) + body


def decode(content: bytes, name: str = "the file") -> Run:
    """Return what the file says; raises RunFileError, whatever the bytes are."""
    head = HEAD.match(content)
    if head is None:
        raise RunFileError(f"{name} is not a saved run: it does not begin with 'k8slab-run'")
    version, digest = int(head[1]), head[2].decode()
    if version != VERSION:
        raise RunFileError(f"{name} is a run of format {version}, this k8slab reads {VERSION}")
    if len(content) > MOST_BYTES:
        raise RunFileError(f"{name} is longer than {MOST_BYTES // 2**20} MiB")
    body = content[head.end() :]
    if hashlib.sha256(body).hexdigest() != digest:
        raise RunFileError(f"{name} is damaged: its content is not what was saved")
    try:
        return msgspec.json.decode(body, type=Run)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunFileError(f"{name} is not a saved run: {error}") from None


def check(kind: type[Cluster], run: Run, name: str = "the file") -> None:
    """Raise RunFileError unless every input is an act of a cluster, with arguments that fit it."""
    before = Position(0, 0.0)
    for number, each in enumerate(run.inputs):
        if not _is_act(kind, each):
            raise RunFileError(f"{name}: inputs[{number}] is nothing that can be done: {each}")
        if each.at.events < before.events or each.at.now < before.now:
            raise RunFileError(f"{name}: inputs[{number}] comes before the one before it")
        before = each.at
    if run.end.events < before.events or run.end.now < before.now:
        raise RunFileError(f"{name}: the run ends before its last input")


def _is_act(kind: type[Cluster], each: Input) -> bool:
    values = (*each.args, *each.options.values())
    if not all(isinstance(value, str | int | float | None) for value in values):
        return False
    if each.do == "shell":
        return len(each.args) == SHELL and all(isinstance(a, str) for a in each.args)
    method = getattr(kind, each.do, None)
    if not getattr(method, "is_input", False):
        return False
    try:
        inspect.signature(method).bind(None, *each.args, **each.options)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True
