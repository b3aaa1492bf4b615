from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.client import Latency
from k8slab.cluster.fork import ReplayError
from k8slab.cluster.run_file import RunFileError, check, decode, encode, run_of


@pytest.fixture(scope="module")
def run() -> Cluster:
    cluster = Cluster(workers=1, seed=5, latency=Latency(api_call=0.01))
    cluster.kubectl("create deployment web --image=nginx:1.27")
    cluster.kubectl("get pods -A -o wide")
    cluster.partition("worker-1")
    cluster.request("node/worker-1", "http://10.96.0.10:9153", timeout=2)
    cluster.run(20.25)
    return cluster


@pytest.fixture(scope="module")
def content(run: Cluster) -> bytes:
    return encode(run_of(run))


def forged(content: bytes, **fields: Any) -> bytes:
    """Return the file with other fields, and a head that fits them."""
    body = json.dumps({**json.loads(content.partition(b"\n")[2]), **fields}).encode()
    return b"k8slab-run 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_a_loaded_run_is_the_run_that_was_saved(run: Cluster, tmp_path: Path) -> None:
    run.save(tmp_path / "run.k8slab")
    again = Cluster.load(tmp_path / "run.k8slab")
    assert again.trace.digest() == run.trace.digest()
    assert again.now == run.now
    again.run(30)
    child = run.fork()
    child.run(30)
    assert again.trace.digest() == child.trace.digest()
    assert (tmp_path / "run.k8slab").stat().st_size < 2500


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_changed_byte_is_noticed_before_anything_is_done(
    content: bytes, data: st.DataObject
) -> None:
    where = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != content[where]))
    damaged = content[:where] + bytes([byte]) + content[where + 1 :]
    with pytest.raises(RunFileError):
        decode(damaged)
    with pytest.raises(RunFileError):
        decode(content[:where])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_foreign_files_are_refused(noise: bytes, with_head: bool) -> None:
    head = b"k8slab-run 1 " + hashlib.sha256(noise).hexdigest().encode() + b"\n"
    with pytest.raises(RunFileError):
        decode(head + noise if with_head else noise)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ({"do": "__init__"}, "nothing that can be done"),
        ({"do": "load", "args": ["x"]}, "nothing that can be done"),
        ({"do": "serve"}, "nothing that can be done"),
        ({"do": "kill"}, "nothing that can be done"),
        ({"do": "kubectl", "args": [["get"]]}, "nothing that can be done"),
        ({"do": "shell", "args": ["worker-1"]}, "nothing that can be done"),
        ({"do": "kill", "args": ["etcd"], "at": {"events": 0, "now": 3.0}}, "before the one"),
        ({"do": "kill", "args": ["etcd"], "at": {"events": 10**9, "now": 9e9}}, "ends before"),
    ],
)
def test_only_acts_are_accepted(content: bytes, act: dict[str, Any], why: str) -> None:
    inputs = json.loads(content.partition(b"\n")[2])["inputs"]
    inputs.append({"at": inputs[-1]["at"], **act})
    with pytest.raises(RunFileError, match=why):
        check(Cluster, decode(forged(content, inputs=inputs)))


@pytest.mark.parametrize(
    "fields", [{"workers": -1}, {"workers": 10**9}, {"seed": "x"}, {"more": 1}, {"inputs": {}}]
)
def test_fields_must_make_sense(content: bytes, fields: dict[str, Any]) -> None:
    with pytest.raises(RunFileError, match="is not a saved run: "):
        decode(forged(content, **fields))


def test_a_run_that_comes_out_differently_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.k8slab"
    path.write_bytes(forged(content, seed=6))
    with pytest.raises(RunFileError, match="comes out differently here"):
        Cluster.load(path)
    path.write_bytes(content.replace(b"k8slab-run 1", b"k8slab-run 2"))
    with pytest.raises(RunFileError, match="a run of format 2, this k8slab reads 1"):
        Cluster.load(path)


def test_a_saved_run_reads_no_files_of_this_machine(run: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: secret}\n")
    run = run_of(run)  # type: ignore[assignment]
    body = json.loads(encode(run).partition(b"\n")[2])  # type: ignore[arg-type]
    body["inputs"].append(
        {"at": body["end"], "do": "kubectl", "args": [f"apply -f {path}"], "files": {}}
    )
    body["end"] = {"events": body["end"]["events"] + 1, "now": body["end"]["now"]}
    (tmp_path / "run.k8slab").write_bytes(forged(b"\n{}", **body))
    loaded = Cluster.load(tmp_path / "run.k8slab")  # it was refused, as if the file were not there
    assert loaded.view.get("namespace", "secret") is None


def test_a_run_with_a_part_of_ones_own_needs_that_part_again(tmp_path: Path) -> None:
    own = {"kube_proxy": lambda *args, **kwargs: "*nat\nCOMMIT\n"}
    cluster = Cluster(workers=1, replace=own)
    cluster.save(tmp_path / "run.k8slab")
    with pytest.raises(
        RunFileError, match=r"the run replaced kube_proxy, load.. was given nothing"
    ):
        Cluster.load(tmp_path / "run.k8slab")
    again = Cluster.load(tmp_path / "run.k8slab", replace=own)
    assert again.trace.digest() == cluster.trace.digest()


def test_a_run_that_was_served_cannot_be_saved(tmp_path: Path) -> None:
    cluster = Cluster(workers=0, boot=False)
    cluster.serve()
    with pytest.raises(ReplayError, match=r"cannot be saved: at 0\.000 s it was served"):
        cluster.save(tmp_path / "run.k8slab")
