"""Posting to a receiver that is not to be trusted: bounded in time and size, no redirects, no secret in what is said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import httpx

from sagacity.alerts.addresses import is_loopback, origin
from sagacity.alerts.channel import Again, Outcome, Refused, Sent
from sagacity.workflow.durations import UNITS, format_duration

__all__ = ["Post", "outcome"]

_SHOWN = 200
_AGAIN = frozenset({408, 425, 429})
_LONGEST_WAIT = 3_600 * UNITS["s"]


class _Shortened(logging.Filter):
    """The client logs each request with its URL, whose path may be the secret: keep the origin alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(origin(str(each)) if isinstance(each, httpx.URL) else each for each in record.args)
        return True


_SHORTENED = _Shortened()


class Post:
    """Posts to one address. `timeout` in microseconds bounds an attempt as a whole, from its name to the last byte read."""

    def __init__(self, url: str, timeout: int) -> None:
        logging.getLogger("httpx").addFilter(_SHORTENED)
        self._url = url
        self._where = origin(url)
        self._timeout = timeout
        # A proxy of the environment serves the world beyond this machine, not the machine itself.
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            timeout=timeout / UNITS["s"],
            trust_env=not is_loopback(httpx.URL(url).host),
            headers={"user-agent": "sagacity", "accept-encoding": "identity"},
        )

    async def __call__(self, body: bytes, headers: Mapping[str, str], now: int) -> Outcome:
        """What came of it. Of an answer no more is read than is shown, and nothing where it is good."""
        try:
            async with asyncio.timeout(self._timeout / UNITS["s"]):
                request = self._client.build_request("POST", self._url, content=body, headers=dict(headers))
                response = await self._client.send(request, stream=True)
                try:
                    said = "" if response.is_success else await _beginning(response)
                    return outcome(response.status_code, response.headers.get("retry-after"), said, now)
                finally:
                    await response.aclose()
        except TimeoutError:
            return Again(f"{self._where} did not answer within {format_duration(self._timeout)}")
        except httpx.TimeoutException:
            return Again(f"{self._where} did not answer within {format_duration(self._timeout)}")
        except httpx.HTTPError as error:
            return Again(f"{self._where} cannot be reached: {type(error).__name__}")

    async def close(self) -> None:
        await self._client.aclose()


def outcome(status: int, retry_after: str | None, said: str, now: int) -> Outcome:
    """What an answer means. 2xx is success; 408, 425, 429 and 5xx are worth another try; all else is not."""
    if 200 <= status < 300:
        return Sent()
    why = f"answered {status}" + (f": {said}" if said else "")
    if status in _AGAIN or status >= 500:
        return Again(why, _wait(retry_after, now))
    if 300 <= status < 400:
        return Refused(f"answered {status}: redirects are not followed; put the final address into the configuration")
    return Refused(why)


def _wait(retry_after: str | None, now: int) -> int | None:
    """How long a receiver asks to be left alone, from seconds or a date: at most an hour."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return min(int(text) * UNITS["s"], _LONGEST_WAIT)
    try:
        wait = int(parsedate_to_datetime(text).timestamp() * UNITS["s"]) - now
    except (ValueError, OverflowError, OSError):
        return None
    return max(min(wait, _LONGEST_WAIT), 0)


async def _beginning(response: httpx.Response) -> str:
    """The beginning of an answer as printable text."""
    async for chunk in response.aiter_raw(_SHOWN):
        text = chunk[:_SHOWN].decode("utf-8", "replace")
        return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return ""
