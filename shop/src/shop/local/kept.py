"""What a data folder holds from one start to the next: ports and secrets, and what of it is elsewhere."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from sagacity.testing.servers.ports import free_ports, is_free

__all__ = ["Secrets", "elsewhere", "forget", "kept_ports", "kept_secrets"]

_ELSEWHERE = Path("/var/tmp")
_BYTES = 32


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Made by chance at the first start. Never printed."""

    tokens: str
    """What the account service signs tokens with, as `id=base64`."""
    admin: str
    """The first administrator's password."""
    faults: str
    """What whoever switches the faults of warehouse and compliance must show."""
    postgres: str
    """The password of PostgreSQL's superuser."""
    databases: dict[str, str]
    """Each service's password for its database."""

    def __repr__(self) -> str:
        return "Secrets(********)"


def kept_secrets(folder: Path, databases: Iterable[str]) -> Secrets:
    """The folder's secrets; what is missing of them is made, and kept in a file that only its owner may read."""
    file = folder / "secrets.json"
    known = msgspec.json.decode(file.read_bytes(), type=Secrets) if file.exists() else _new()
    wanted = {name: known.databases.get(name) or _drawn() for name in databases}
    made = msgspec.structs.replace(known, databases={**known.databases, **wanted})
    _write(file, msgspec.json.encode(made))
    return made


def kept_ports(folder: Path, names: Iterable[str], *, preferred: dict[str, int] | None = None) -> dict[str, int]:
    """A port of 127.0.0.1 for each name: that of the last start if it is free, else the preferred, else any that is free."""
    file = folder / "ports.json"
    earlier: dict[str, int] = msgspec.json.decode(file.read_bytes(), type=dict[str, int]) if file.exists() else {}
    wanted = list(names)
    chosen: dict[str, int] = {}
    for name in wanted:
        for port in (earlier.get(name), (preferred or {}).get(name)):
            if port and port not in chosen.values() and is_free(port):
                chosen[name] = port
                break
    for name, port in zip([name for name in wanted if name not in chosen], free_ports(len(wanted)), strict=False):
        chosen[name] = port
    _write(file, msgspec.json.encode({**earlier, **chosen}))
    return chosen


def elsewhere(folder: Path) -> Path:
    """Where that of a data folder is which cannot be kept within it."""
    return _ELSEWHERE / f"sagacity-{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:12]}"


def forget(folder: Path) -> None:
    """Begin anew: remove all that is kept, here and elsewhere, but for the lock. Nothing of it may run."""
    shutil.rmtree(elsewhere(folder), ignore_errors=True)
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != "lock":
            each.unlink()


def _new() -> Secrets:
    key = f"local={base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"
    return Secrets(tokens=key, admin=_drawn(), faults=_drawn(), postgres=_drawn(), databases={})


def _drawn() -> str:
    return secrets.token_urlsafe(_BYTES)


def _write(file: Path, content: bytes) -> None:
    """All of it or nothing, and readable by its owner alone."""
    beside = file.with_name(file.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        written.write(content)
    beside.replace(file)
