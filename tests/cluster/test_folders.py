"""kubectl takes folders of manifests: their files in order, those of inner folders with -R."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8slab import Cluster

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three manifests, one of them deeper, and a file that is none."""
    (tmp_path / "inner").mkdir()
    for name in ("b.yml", "a.yaml", "inner/c.json"):
        (tmp_path / name).write_text(MAP % Path(name).stem)
    (tmp_path / "README.md").write_text("no manifest")
    return tmp_path


def created(*names: str) -> str:
    """What kubectl says of them."""
    return "".join(f"configmap/{name} created\n" for name in names)


def test_the_manifests_of_a_folder_are_applied_in_order(folder: Path) -> None:
    cluster = Cluster(workers=0)
    assert cluster.kubectl(f"apply -f {folder}") == created("a", "b")


def test_inner_folders_are_looked_into_when_asked(folder: Path) -> None:
    cluster = Cluster(workers=0)
    assert cluster.kubectl(f"apply -R -f {folder}/") == created("a", "b", "c")


def test_a_folder_without_manifests_is_told(tmp_path: Path) -> None:
    said = Cluster(workers=0).kubectl(f"apply -f {tmp_path}")
    known = "recognized file extensions are [.json .yaml .yml]"
    assert said == f"error: error reading [{tmp_path}]: {known}\n"


def test_a_replay_reads_what_was_there_then(folder: Path, tmp_path: Path) -> None:
    cluster = Cluster(workers=0)
    cluster.kubectl(f"apply -f {folder}")
    saved = tmp_path / "run.json"
    cluster.save(saved)
    (folder / "a.yaml").unlink()
    again = Cluster.load(saved)
    assert "a" in again.kubectl("get configmaps -o name").replace("configmap/", "").split()
