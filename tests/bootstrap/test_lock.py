"""pyproject.toml, requirements.lock and environment.yml say the same."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COURSE, PEERS = "requirements.lock", "requirements-peers.lock"
LOCKS = {name: (ROOT / name).read_text() for name in (COURSE, PEERS)}
PINNED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)


def asked_for() -> list[tuple[str, str]]:
    """Each lock with what has to be in it."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    course = [*project["dependencies"], *groups["dev"], *project["optional-dependencies"]["serve"]]
    peers = [*project["dependencies"], *groups["peers"]]
    return [(COURSE, text) for text in course] + [(PEERS, text) for text in peers]


def versions_of(lock: str) -> dict[str, set[str]]:
    """The versions of each package in a lock: several where Pythons or systems differ."""
    found: dict[str, set[str]] = {}
    for name, version, _ in PINNED.findall(LOCKS[lock]):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


@pytest.mark.parametrize(("lock", "text"), asked_for())
def test_what_pyproject_asks_for_is_in_the_lock(lock: str, text: str) -> None:
    wanted = Requirement(text)
    versions = versions_of(lock).get(canonicalize_name(wanted.name))
    assert versions, f"{wanted.name} is not locked: python3 course.py lock"
    assert all(wanted.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    packages = re.split(r"\n(?=[\w])", LOCKS[lock])
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_registry(lock: str) -> None:
    assert not re.search(r"https?://|file:|index-url|find-links", LOCKS[lock])


def test_the_lock_of_the_javascript_client_has_hashes_and_names_no_registry() -> None:
    text = (ROOT / "tests" / "clients" / "javascript" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert "node_modules/@kubernetes/client-node" in packages
    assert all(name == "" or "integrity" in package for name, package in packages.items())
    assert not re.search(r"https?://", text)


def test_what_both_environments_have_is_one_version() -> None:
    course, peers = versions_of(COURSE), versions_of(PEERS)
    assert {name: course[name] for name in course.keys() & peers.keys()} == {
        name: peers[name] for name in course.keys() & peers.keys()
    }


def test_the_tools_of_other_people_stay_out_of_the_course() -> None:
    peers = {Requirement(text).name for text in PROJECT["dependency-groups"]["peers"]}
    assert not peers & versions_of(COURSE).keys()


def test_conda_and_binder_install_the_same_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, inside = environment["dependencies"]
    assert pip == "pip"
    assert inside == {"pip": ["-r requirements.lock"]}
    assert python.removeprefix("python=") in ("3.11", "3.12", "3.13", "3.14")


def test_binder_installs_the_package_itself() -> None:
    commands = (ROOT / "postBuild").read_text().splitlines()
    assert "pip install --no-deps -e ." in commands
    assert (ROOT / "postBuild").stat().st_mode & 0o111


def test_the_engine_can_be_installed_in_the_browser() -> None:
    newest_there = {"msgspec": "0.20.0", "networkx": "3.6.1", "matplotlib": "3.10.8"}
    newest_there |= {"dnspython": "2.8.0", "pyyaml": "6.0.3"}  # of pyodide 314.0
    for wanted in map(Requirement, PROJECT["project"]["dependencies"]):
        version = newest_there.get(wanted.name)
        assert version is None or wanted.specifier.contains(version), wanted
