"""A running server, as the commands that ask one see it: its options, its address and token, what it answers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagacity.errors import SagacityError, UsageError

if TYPE_CHECKING:
    import httpx

__all__ = ["SERVER", "TOKEN", "Remote"]

SERVER = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Where the server is. Default: SAGACITY_SERVER, else http://127.0.0.1:8420.",
        show_default=False,
    ),
]
TOKEN = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="An access token; better given as SAGACITY_TOKEN, where other users of the machine do not see it.",
        show_default=False,
    ),
]

_DEFAULT = "http://127.0.0.1:8420"
_PATIENCE = 30.0
_AGAIN = (429, 503)
_TRIES = 6
_LONGEST_WAIT = 10.0
_IN_COMMANDS = (
    ("GET /api/v1/findings ", "`sagacity findings` lists them"),
    (
        "GET /api/v1/workflows/NAME/cases",
        "`sagacity findings` lists those with findings; {url}/cases lists all, and searches",
    ),
    ("say which: ?workflow=", "say which: --workflow NAME"),
    ("GET /readyz", "nothing was changed, so ask again"),
)
"""The server's hints speak of its API; by how such a hint begins, what a person at a terminal does instead."""
_RECONNECT = (0.5, 1.0, 2.0, 5.0, 10.0)


class Remote:
    """A server. Raises UsageError for what it refuses, SagacityError where it is away or cannot do its work."""

    def __init__(self, server: str | None, token: str | None) -> None:
        import httpx

        from sagacity.web.listening import is_loopback

        self.url = (server or os.environ.get("SAGACITY_SERVER") or _DEFAULT).rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"'{self.url}' is not the address of a server", hint="write it like http://127.0.0.1:8420")
        given = token or os.environ.get("SAGACITY_TOKEN")
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        try:
            beyond = not is_loopback(httpx.URL(self.url).host)  # a proxy that is set does not lead back to this machine
            self._client = httpx.Client(base_url=self.url, headers=headers, timeout=_PATIENCE, trust_env=beyond)
        except (httpx.InvalidURL, ValueError) as error:
            raise UsageError(f"cannot ask {self.url}: {error}", hint="look at the address and the token") from None

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: str | int | list[str] | None) -> Any:
        """What a GET is answered with."""
        given = {name.rstrip("_"): value for name, value in parameters.items() if value is not None}
        return self._json(self._ask("GET", path, params=given))

    def post(self, path: str, document: Mapping[str, object], *, within: float | None = _PATIENCE) -> Any:
        """What a POST of a document is answered with, after at most `within` seconds; None: however long it takes."""
        import httpx

        timeout = httpx.Timeout(_PATIENCE, read=within)
        return self._json(self._ask("POST", path, json=dict(document), timeout=timeout))

    def send(self, path: str, body: bytes, content_type: str) -> tuple[int, Any]:
        """The status and the answer to a body that is handed in. Comes again a few times where the server is too busy."""
        headers = {"Content-Type": content_type}
        for attempt in range(_TRIES):
            response = self._ask("POST", path, content=body, headers=headers)
            if response.status_code not in _AGAIN or attempt == _TRIES - 1:
                break
            wait = response.headers.get("Retry-After", "1")
            time.sleep(min(float(wait) if wait.isdigit() else 1.0, _LONGEST_WAIT))
        if response.status_code == 422:
            return 422, self._problem(response)
        return response.status_code, self._json(response)

    def changes(self) -> Iterator[str]:
        """The kinds of events that the server tells of, for ever; `away` when the connection is lost, and `reload` once it
        is there again. Raises SagacityError where the server stays away for some ten minutes."""
        import httpx

        lost = 0
        while True:
            try:
                with self._client.stream("GET", "/api/v1/changes", timeout=httpx.Timeout(_PATIENCE, read=60.0)) as response:
                    if response.status_code != 200:
                        response.read()
                        if response.status_code not in _AGAIN or not lost:
                            self._json(response)
                        raise httpx.RemoteProtocolError(f"answered {response.status_code}")
                    if lost:
                        yield "reload"
                    for line in response.iter_lines():
                        lost = 0
                        if line.startswith("event: "):
                            yield line.removeprefix("event: ")
            except httpx.TransportError as error:
                if lost >= len(_RECONNECT) * 12:
                    raise self._away(error) from None
            if not lost:
                yield "away"
            time.sleep(_RECONNECT[min(lost, len(_RECONNECT) - 1)])
            lost += 1

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        import httpx

        try:
            return self._client.request(method, path, **more)
        except httpx.TransportError as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> SagacityError:
        reason = " ".join(str(error).split()) or type(error).__name__
        hint = "start it with `sagacity serve`, or say where it is: --server URL, or SAGACITY_SERVER"
        return SagacityError(f"no server answers at {self.url}: {reason}", hint=hint)

    def _json(self, response: httpx.Response) -> Any:
        if response.is_success:
            try:
                return response.json()
            except ValueError:
                told = f"what answers at {self.url} is no Sagacity server"
                raise SagacityError(told, hint="look at the address; a proxy may have answered") from None
        problem = self._problem(response)
        detail = str(problem.get("detail") or f"{self.url} answered {response.status_code}")
        hint: Any = problem.get("hint")
        for begin, said in _IN_COMMANDS:
            if str(hint or "").startswith(begin):
                hint = said.format(url=self.url)
        if response.status_code == 401:
            hint = "give a token: --token, or better SAGACITY_TOKEN"
        kind = UsageError if response.status_code < 500 and response.status_code != 429 else SagacityError
        raise kind(detail, hint=str(hint) if hint else None)

    def _problem(self, response: httpx.Response) -> dict[str, Any]:
        try:
            problem = response.json()
        except ValueError:
            return {}
        return problem if isinstance(problem, dict) else {}
