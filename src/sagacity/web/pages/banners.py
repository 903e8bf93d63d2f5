"""Banners: what an operator must know wherever they are."""

from __future__ import annotations

from sagacity.reconcile.live import Status
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.text import plural
from sagacity.web.pages.words import ago, named, until

__all__ = ["banners"]

_LONG = 10_000_000
"""For so long, in microseconds, what waits of a source may only just have come."""
_LISTED = 6


def banners(status: Status) -> list[Markup]:
    """The server's own troubles, each source that is down, and all that are behind together."""
    found = []
    if status.state == "stalled":
        found.append(_banner("bad", "Nothing is taken in. ", _problem(status) or "The ledger can keep nothing for now."))
    elif status.state == "stopped":
        found.append(_banner("bad", "The server has stopped judging. ", _problem(status) or "Start it again."))
    elif status.state == "starting":
        found.append(_banner("open", "Starting. ", "Verdicts are those of before."))
    down: dict[str, list[str]] = {}
    for reach in status.reaches:
        if reach.state == "down":
            down.setdefault(reach.source, []).append(reach.error or "it cannot be read")
    for source, errors in down.items():
        more = f" (and {plural(len(errors) - 1, 'more part')})" if len(errors) > 1 else ""
        found.append(_banner("bad", f"Source {source} is down. ", f"{errors[0].rstrip('.')}{more}. ", _held(status, source)))
    behind = {source: lag for source, lag in _behind(status).items() if source not in down}
    if len(behind) == 1:
        ((source, lag),) = behind.items()
        found.append(_banner("open", f"Source {source} is behind. ", f"{_waits(lag)}. ", _held(status, source)))
    elif behind:
        found.append(_banner("open", f"{len(behind):,} sources are behind. ", *_together(status, behind)))
    return found


def _behind(status: Status) -> dict[str, int | None]:
    """What waits of each source that is behind, None where that is not known. One that has been behind for a moment, and
    keeps nothing pending, is left out: while records come, some always wait."""
    lags: dict[str, int | None] = {}
    told = set(status.behind)
    for reach in status.reaches:
        if reach.state != "behind":
            continue
        known = lags.get(reach.source, 0)
        lags[reach.source] = None if known is None or reach.lag is None else known + reach.lag
        since = status.since.get((reach.source, reach.part))
        if since is not None and status.now - since >= _LONG:
            told.add(reach.source)
    return {source: lag for source, lag in lags.items() if source in told}


def _together(status: Status, behind: dict[str, int | None]) -> list[Child]:
    """Several sources in one sentence, and what is pending for their sake in another."""
    names = list(behind) if len(behind) <= _LISTED + 1 else list(behind)[:_LISTED]
    listed = [(named(source, 60), f": {_waits(behind[source])}{_judged(status, source)}") for source in names]
    said: list[Child] = [(each, "; ") for each in listed[:-1]]
    said += [listed[-1], f"; and {len(behind) - len(names):,} more. " if len(names) < len(behind) else ". "]
    if all(source in status.behind for source in behind):
        said.append("What only they could still bring is pending. ")
    elif any(source in status.behind for source in behind):
        said.append("What only a source that is judged so far, or was never heard, could still bring is pending. ")
    return [*said, tag("a", "All sources", href="/sources")]


def _waits(lag: int | None) -> str:
    if lag is None:
        return "how much waits is not known"
    return f"{plural(lag, 'record')} {'waits' if lag == 1 else 'wait'}"


def _judged(status: Status, source: str) -> str:
    if source not in status.behind:
        return ""
    heard = status.behind[source]
    return f", judged as far as {until(heard)}" if heard else ", never heard"


def _held(status: Status, source: str) -> str:
    if source not in status.behind:
        return ""
    heard = status.behind[source]
    if not heard:
        return "What only it could still bring is pending: it has not been heard at all."
    return f"What only it could still bring is pending; it is judged as far as {until(heard)} ({ago(heard, status.now)})."


def _problem(status: Status) -> str:
    """The problem with its hint, on one line."""
    return "; ".join(line.strip().removeprefix("hint: ") for line in (status.problem or "").splitlines())


def _banner(state: str, strong: str, *said: Child) -> Markup:
    words = [named(text, 500) if type(text) is str else text for text in said if text]
    return tag("div", tag("p", tag("strong", named(strong, 200)), words), class_=f"banner {state}", role="status")
