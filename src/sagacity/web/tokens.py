"""Bearer tokens: long random strings, each with a name and roles, of which only hashes are kept.

A token holds 256 random bits, so there is nothing to guess and nothing to look up in a table of likely words: SHA-256 is
enough. A slow hash such as argon2 protects secrets that people make up; here it would cost every request tens of
milliseconds, and give whoever sends many of them a way to keep the server busy.

A line of a tokens file, or a part (between commas) of SAGACITY_TOKENS, is `NAME:ROLE[+ROLE]:sha256:HEX`. Empty lines and
what follows a `#` are left out.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec

from sagacity.errors import UsageError

__all__ = ["PREFIX", "ROLES", "Known", "Role", "Tokens", "hashed", "minted", "parse_tokens", "tokens_from"]

Role: TypeAlias = Literal["ingest", "viewer", "operator"]

ROLES: tuple[Role, ...] = get_args(Role)
"""`ingest` hands records in, and nothing else; `viewer` reads; `operator` reads and acts."""

PREFIX = "sgc_"
"""What every token begins with, so that scanners for leaked secrets can know it."""

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._@-]{1,64}):(?P<roles>[a-z+]+):sha256:(?P<hash>[0-9a-f]{64})")
_FORM = "write NAME:ROLE:sha256:HASH, as `sagacity token new --role viewer` prints it"


class Known(msgspec.Struct, frozen=True):
    """A token that is known: what it is called, what it may do, and its hash."""

    name: str
    roles: frozenset[Role]
    hash: str

    def line(self) -> str:
        """As it is written in a tokens file."""
        return f"{self.name}:{'+'.join(role for role in ROLES if role in self.roles)}:sha256:{self.hash}"


class Tokens(msgspec.Struct, frozen=True):
    """All tokens that are known."""

    known: tuple[Known, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.known)

    def find(self, token: str) -> Known | None:
        """Whose token it is. Every hash is compared, in constant time each, so that time tells nothing of them."""
        given = hashed(token)
        found = None
        for known in self.known:
            if hmac.compare_digest(known.hash, given):
                found = known
        return found


def hashed(token: str) -> str:
    """The hash that is kept of a token."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def minted(random: bytes, name: str, roles: Iterable[Role]) -> tuple[str, Known]:
    """A new token of 32 random bytes, to be shown once, and what is to be kept of it."""
    if len(random) < 32:
        raise ValueError("a token needs 32 random bytes")
    token = f"{PREFIX}{random.hex()}"
    return token, Known(name, frozenset(roles), hashed(token))


def parse_tokens(text: str, where: str) -> Tokens:
    """The tokens in a text, `where` says where it stands. Raises UsageError; no message repeats what could be a secret."""
    known: dict[str, Known] = {}
    for number, line in enumerate(re.split(r"[\n,]", text), 1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        match = _LINE.fullmatch(written)
        if match is None:
            raise UsageError(f"{where}, entry {number} is not a token's line", hint=_FORM)
        roles = match["roles"].split("+")
        if unknown := [role for role in roles if role not in ROLES]:
            raise UsageError(f"{where}, entry {number}: there is no role '{unknown[0]}'", hint=f"one of {', '.join(ROLES)}")
        if match["name"] in known:
            raise UsageError(f"{where}: there are two tokens called '{match['name']}'", hint="the audit log goes by names")
        known[match["name"]] = msgspec.convert((match["name"], roles, match["hash"]), _Triple).known()
    return Tokens(tuple(known.values()))


def tokens_from(file: Path | None, environment: Mapping[str, str]) -> Tokens:
    """The tokens of a file and of SAGACITY_TOKENS together. Raises UsageError where either cannot be read."""
    texts = []
    if file is not None:
        try:
            texts.append((file.read_text(encoding="utf-8"), str(file)))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
            raise UsageError(f"cannot read the tokens in {file}: {reason}", hint=_FORM) from None
    if given := environment.get("SAGACITY_TOKENS"):
        texts.append((given, "SAGACITY_TOKENS"))
    known = [each for text, where in texts for each in parse_tokens(text, where).known]
    if len({each.name for each in known}) < len(known):
        raise UsageError("a token's name stands in the tokens file and in SAGACITY_TOKENS", hint="leave it in one of them")
    return Tokens(tuple(known))


class _Triple(msgspec.Struct, frozen=True, array_like=True):
    name: str
    roles: tuple[Role, ...]
    hash: str

    def known(self) -> Known:
        return Known(self.name, frozenset(self.roles), self.hash)
