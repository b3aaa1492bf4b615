"""pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
PINNED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)


def asked_for() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = [*extras, *PROJECT["dependency-groups"].values()]
    return [*PROJECT["project"]["dependencies"], *(each for group in groups for each in group)]


@pytest.mark.parametrize("text", asked_for())
def test_what_pyproject_asks_for_is_in_the_lock(text: str) -> None:
    wanted = Requirement(text)
    versions = {
        version
        for name, version, _ in PINNED.findall(LOCK)
        if canonicalize_name(name) == canonicalize_name(wanted.name)
    }
    assert versions, f"{wanted.name} is not locked: python3 course.py lock"
    assert all(wanted.specifier.contains(version) for version in versions)


def test_every_locked_package_has_hashes() -> None:
    packages = re.split(r"\n(?=[\w])", LOCK)
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)


def test_the_lock_names_no_registry() -> None:
    assert not re.search(r"https?://|file:|index-url|find-links", LOCK)


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
