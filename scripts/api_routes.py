"""The table of routes in docs/api.md, from the API's own description: `python scripts/api_routes.py` writes it anew.

With `--check` it writes nothing, and exits with 1 where the page has another one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

__all__ = ["described", "main", "table", "written"]

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
_BETWEEN = re.compile(r"(<!-- routes -->\n).*?(<!-- end of routes -->)", re.DOTALL)
_TAGS = ("ingest", "cases", "findings", "workflows", "sagas", "sources", "upkeep", "server")


def described() -> dict[str, Any]:
    """The OpenAPI document, and the role that each operation needs under `x-need`."""
    from litestar import Litestar
    from litestar.di import Provide

    from sagacity.web.api import API
    from sagacity.web.api.described import openapi
    from sagacity.web.ingest import INGEST
    from sagacity.web.metrics import metrics

    absent = {name: Provide(lambda: None, sync_to_thread=False) for name in ("served", "metrics_of")}
    app = Litestar([*API, *INGEST, metrics], openapi_config=openapi("0"), dependencies=absent, signature_types=[])
    document: dict[str, Any] = app.openapi_schema.to_schema()
    for route in app.routes:
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items():
            operation = document["paths"].get(getattr(route, "path_format", ""), {}).get(method.lower())
            if operation is not None:
                operation["x-need"] = handler.opt.get("need", "viewer") or "none"
    return document


def table(document: dict[str, Any]) -> str:
    """The routes as a Markdown table, by what they are about."""
    rows = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            row = f"| `{method.upper()} {path}` | {operation['summary']} | {operation['x-need']} |"
            rows.append((_TAGS.index(operation["tags"][0]), path.count("{"), path, method, row))
    lines = [row for *_, row in sorted(rows)]
    return "\n".join(["| route | what | role |", "|---|---|---|", *lines]) + "\n"


def written(page: str, rows: str) -> str:
    """The page with this table between its marks."""
    return _BETWEEN.sub(lambda marks: f"{marks[1]}{rows}{marks[2]}", page)


def main() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    now = written(page, table(described()))
    if "--check" not in sys.argv:
        _PAGE.write_text(now, encoding="utf-8")
    elif now != page:
        sys.exit(f"{_PAGE.name} does not have the routes as they are: run python scripts/api_routes.py")


if __name__ == "__main__":
    main()
