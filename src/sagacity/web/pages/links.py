"""Where things are found: the address of each page, whatever the names in it hold."""

from __future__ import annotations

from urllib.parse import quote, urlencode

__all__ = ["case_url", "cases_url", "finding_url", "inbox_url", "local", "saga_url", "sagas_url", "url", "workflow_url"]


def url(path: str, **query: str | int | None) -> str:
    """A path with the parameters that are given."""
    given = [(name.rstrip("_"), str(value)) for name, value in query.items() if value not in (None, "")]
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def inbox_url(**query: str | None) -> str:
    return url("/findings", **query)


def finding_url(finding: str) -> str:
    return f"/findings/{quote(finding, safe='', errors='replace')}"


def cases_url(**query: str | None) -> str:
    return url("/cases", **query)


def case_url(workflow: str, case: str, **query: str | None) -> str:
    """Names stand in the query, since a path could not hold every one of them (`..`, `a/b`)."""
    return url("/case", workflow=workflow, case=case, **query)


def workflow_url(name: str) -> str:
    return url("/workflow", name=name)


def sagas_url(**query: str | None) -> str:
    return url("/sagas", **query)


def saga_url(id: str) -> str:
    return url("/saga", saga=id)


def local(address: str | None, otherwise: str = "/") -> str:
    """An address of these pages as it is, anything that could lead elsewhere replaced."""
    if not address or not address.startswith("/") or address[1:2] in ("/", "\\"):
        return otherwise
    return otherwise if any(ord(sign) < 33 or sign == "\\" for sign in address) else address
