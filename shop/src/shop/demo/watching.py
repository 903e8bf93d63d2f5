"""What the reconciler finds, told as it finds it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from sagacity.demo.answers import Outcome

__all__ = ["Reconciler", "Watching"]

_PAGE = 500
_EVERY = 0.7


class Reconciler:
    """Sagacity's API, as far as the story needs it. Raises httpx.HTTPError."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"{address}/api/v1", timeout=30, trust_env=False)

    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self._asked("/findings", {"limit": _PAGE, **({"cursor": cursor} if cursor else {})})
            found += page["items"]
            if (cursor := page["next"]) is None:
                return found

    def outcomes(self) -> list[tuple[str, str, Outcome]]:
        """Each finding's case, expectation and kind; those that mended themselves are `resolved`."""
        return [
            (each["case"], each["expectation"], "resolved" if each["state"] == "resolved" else each["kind"])
            for each in self.findings()
        ]

    def as_of(self) -> str | None:
        """Up to when it judges: an instant, UTC, ISO 8601."""
        as_of: str | None = self._asked("/status")["as_of"]
        return as_of

    def state(self) -> str:
        """`running`, or why it is not, in a word."""
        state: str = self._asked("/status")["state"]
        return state

    def cases(self) -> dict[str, int]:
        """How many purchases there are, by status."""
        counts: dict[str, int] = self._asked("/workflows/shop/counts")["cases"]
        return counts

    def redelivered(self) -> int:
        """How many domain events have come more than once, and were counted once."""
        accounts = self._asked("/accounts")["items"]
        return sum(each["redelivered"] for each in accounts if each["source"] == "shop-events")

    def close(self) -> None:
        self._client.close()

    def _asked(self, path: str, given: dict[str, Any] | None = None) -> Any:
        answer = self._client.get(path, params=given)
        answer.raise_for_status()
        return answer.json()


class Watching:
    """As a context manager it looks at the findings again and again, and tells what is new: the state (`opened` or
    `resolved`), and the findings of that state that are of one expectation and kind."""

    def __init__(self, reconciler: Reconciler, told: Callable[[str, Sequence[dict[str, Any]]], None]) -> None:
        self._reconciler, self._told = reconciler, told
        self._known: dict[str, tuple[str, str]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Tell of what has changed since the last look."""
        news: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for finding in sorted(self._reconciler.findings(), key=lambda each: str(each["changed"])):
            now = ("resolved" if finding["state"] == "resolved" else "opened", str(finding["kind"]))
            if self._known.get(finding["id"]) != now:
                self._known[finding["id"]] = now
                news.setdefault((*now, finding["expectation"]), []).append(finding)
        for (state, _, _), findings in news.items():
            self._told(state, findings)

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            try:
                self.look()
            except httpx.HTTPError:
                continue  # the audit at the end does not go on without it
