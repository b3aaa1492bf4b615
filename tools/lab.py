"""`course.py lab`: the course, open in JupyterLab.

It listens on 127.0.0.1 only, and keeps its settings in the project's own .jupyter, so that neither
the learner's Jupyter nor the course changes the other. Further arguments go to `jupyter lab`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = "notebooks"
OVERRIDES = Path(__file__).with_name("overrides.json")
STYLE = Path(__file__).with_name("custom.css")


def main(arguments: list[str]) -> int:
    """Open the notebooks in the browser, until the learner stops the server."""
    quiet_the_news(Path(sys.prefix))
    keep_lines_whole(ROOT / ".jupyter")
    print("Opening the course in JupyterLab; Ctrl-C twice here stops it.", flush=True)
    environment = {**os.environ, **own_folders(ROOT / ".jupyter")}
    started = [*command(ROOT), *arguments]
    if os.name == "nt":  # where exec returns to the prompt at once
        return subprocess.run(started, env=environment).returncode
    os.execve(started[0], started, environment)  # so that a signal meant for it reaches it


def command(root: Path) -> list[str]:
    """Give the command line of a server for the notebooks under a folder."""
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{START}",
        "--LabApp.custom_css=True",
    ]
    if os.name != "nt":
        # Kernels answer on a file of this user instead of an open TCP port, which also warns.
        options.append("--KernelManager.transport=ipc")
        if os.geteuid() == 0:
            options.append("--allow-root")
    return [sys.executable, "-m", "jupyterlab", *options]


def own_folders(home: Path) -> dict[str, str]:
    """Give the environment that keeps a server's settings in one folder."""
    return {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }


def quiet_the_news(prefix: Path) -> None:
    """Keep JupyterLab from asking about news and updates before the first cell."""
    settings = prefix / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(OVERRIDES, settings / "overrides.json")


def keep_lines_whole(home: Path) -> None:
    """Let wide output scroll instead of breaking its lines."""
    folder = home / "config" / "custom"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(STYLE, folder / "custom.css")
