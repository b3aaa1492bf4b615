"""The source as the architecture tests see it: files, syntax trees, the engine's part."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ("sim", "linux", "api", "client", "control_plane", "node", "addons")
NAMED_AFTER_UPSTREAM = ("linux", "api", "client", "control_plane", "node", "addons", "kubectl")


def modules(*parts: str) -> list[Path]:
    """All modules of the package, or of some of its parts."""
    folders = [ROOT / "k8slab" / part for part in parts or ("",)]
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """The module's name for an import statement."""
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def tracked() -> tuple[str, ...]:
    """The committed files; in an archive without git, whatever is there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return tuple(path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file())
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return tuple(name(path) for path in found if not name(path).startswith("."))
