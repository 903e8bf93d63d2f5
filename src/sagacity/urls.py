"""URLs of servers as they may be shown: what is told to people never holds a password."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["told_without", "without_password"]

_PASSWORD = (re.compile(r"(?<=://)([^:/@?#]*):[^@/?#]*@"), re.compile(r"(?<=[?&])(password)=[^&#]*"))
_SECRETS = re.compile(r"://[^:/@?#]*:([^@/?#]+)@|[?&]password=([^&#]+)")


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return _PASSWORD[1].sub(r"\1=***", _PASSWORD[0].sub(r"\1@", url))


def told_without(error: Exception, url: str) -> str:
    """What a server or its client said, in one line, without the password that the URL holds."""
    said = " ".join(str(error).split())
    for found in _SECRETS.findall(url):
        for secret in filter(None, found):
            said = said.replace(secret, "***").replace(unquote(secret), "***")
    return said or type(error).__name__
