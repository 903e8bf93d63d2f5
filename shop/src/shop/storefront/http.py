"""The storefront over HTTP: the page, and the files that it consists of."""

from __future__ import annotations

import hashlib
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter
from litestar.types import ControllerRouterHandler

from shop.chassis.failures import Failure
from shop.storefront.page import FOLDER, HEADERS, assets, version

__all__ = ["ROUTES", "Page"]

_FOR_EVER = "public, max-age=31536000, immutable"


class Page:
    """The page as it is sent, and its ETag."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'


@get("/", sync_to_thread=False, include_in_schema=False)
def page(
    page: NamedDependency[Page], known: Annotated[str | None, HeaderParameter(name="If-None-Match")] = None
) -> Response[bytes | None]:
    """The page, which browsers keep and ask for again each time."""
    headers = {**HEADERS, "Cache-Control": "no-cache", "ETag": page.etag}
    if known is not None and page.etag in known:
        return Response(None, status_code=304, headers=headers)
    return Response(page.content, media_type="text/html", headers=headers)


@get(f"{FOLDER}/{{of:str}}/{{name:str}}", sync_to_thread=False, include_in_schema=False)
def asset(of: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file of the page. What an address holds never changes; one of another version is 404, and the page is read anew."""
    found = assets().get(name)
    if of != version() or found is None:
        raise Failure(404, "there is no such file", headers={"Cache-Control": "no-store"})
    kind, content = found
    headers = {"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=kind, headers=headers)


ROUTES: tuple[ControllerRouterHandler, ...] = (page, asset)
