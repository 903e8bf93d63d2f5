"""Makes the environment that the Makefile's targets run in: `environment.py FOLDER core|serve|dev|bench`.

Needs the standard library alone. Says what it does in a line or two; pip's own output is shown only when it fails.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HOLDS = {"core": (), "serve": ("core",), "dev": ("core", "serve", "shop"), "shop": ("core", "serve"), "bench": ("core",)}
"""What an extra brings besides itself."""

TARGETS = {"core": ".", "shop": ".[serve,kafka,saga,metrics,otel,postgres]"}
"""What is installed, where that is not the extra of the same name."""

BESIDE = {"dev": ("shop",), "shop": ("shop",)}
"""Distributions of this repository that are installed with an extra, in place."""

VENV_HELP = """\
Python's venv module cannot make an environment here: it has no pip to put in.
Install it and run make again:
  Debian, Ubuntu   apt-get install python3-venv
  Fedora           dnf install python3-pip
  Alpine           apk add py3-pip
"""


def main() -> int:
    folder, extra = Path(sys.argv[1]), sys.argv[2]
    python = folder / "bin" / "python"
    if not _runs([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
        _say(f"making {folder} with Python {sys.version.split()[0]}")
        if not _make(folder):
            shutil.rmtree(folder, ignore_errors=True)
            print(VENV_HELP, file=sys.stderr)
            return 1
    target = TARGETS.get(extra, f".[{extra}]")
    beside = BESIDE.get(extra, ())
    _say(f"installing sagacity ({extra})" + "".join(f" and {name}" for name in beside))
    if not _install(_pip(python), (target, *(f"./{name}[local]" for name in beside)), folder / f"{extra}.log"):
        return 1
    sources = ["src", *(f"{name}/src" for name in beside)]
    _runs([python, "-m", "compileall", "-q", *sources])  # an editable install leaves this undone, and each start would do it
    for each in (extra, *HOLDS[extra]):
        (folder / f".{each}").touch()
    return 0


def _make(folder: Path) -> bool:
    """Makes the environment with the first means that works."""
    shutil.rmtree(folder, ignore_errors=True)
    if _runs([sys.executable, "-m", "venv", folder]):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    if _runs([sys.executable, "-m", "virtualenv", "--quiet", folder]):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    # Debian's python3 without python3-venv: an environment without a pip of its own, served by the system's.
    bare = _runs([sys.executable, "-m", "venv", "--without-pip", folder])
    return bare and bool(shutil.which("uv") or _runs([sys.executable, "-m", "pip", "--version"]))


def _pip(python: Path) -> list[str | Path]:
    """The command that installs into the environment."""
    if _runs([python, "-m", "pip", "--version"]):
        return [python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--python", python]
    return [sys.executable, "-m", "pip", "--python", python, "install", "--progress-bar", "off"]


def _install(pip: list[str | Path], targets: Sequence[str], log: Path) -> bool:
    """Installs, naming each package as it is fetched; shows the end of the log when that fails."""
    editable = [part for target in targets for part in ("-e", target)]
    command = [str(part) for part in (*pip, *editable)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            words = line.split()
            if words[:1] == ["Collecting"]:
                print(f"  {re.split('[^A-Za-z0-9._-]', words[1])[0]}", flush=True)
            elif words[:2] == ["Installing", "collected"]:
                _say("unpacking")
    log.write_text("".join(lines))
    if process.returncode:
        print("".join(lines[-20:]), file=sys.stderr)
        print(f"The installation failed; all that was said is in {log}.", file=sys.stderr)
    return process.returncode == 0


def _runs(command: list[str | Path]) -> bool:
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def _say(text: str) -> None:
    print(f"environment: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
