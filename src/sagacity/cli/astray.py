"""Records that came and lead to no case at all: a key or a type that is spelt otherwise than in the records."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from sagacity.errors import UsageError
from sagacity.reconcile.result import Result
from sagacity.report.text import plural, visible

__all__ = ["all_astray"]

_FIRST = 100_000
_NAMES = 8


def all_astray(result: Result, folder: Path) -> UsageError | None:
    """What to say where records came and each that could be read is an orphan or unmatched; None where one is not, or none
    came. `folder` is where relative paths of sources start."""
    came = [account for account in result.accounts if account.orphan or account.unmatched]
    astray = sum(account.orphan + account.unmatched for account in came)
    if (
        not came
        or result.cases.total
        or astray + sum(account.rejected for account in result.accounts)
        != sum(account.records for account in result.accounts)
    ):
        return None
    orphans = [account for account in came if account.orphan]
    if not orphans:
        return UsageError(
            f"no record is of a type that the workflow names: {plural(astray, 'record')}, none of them judged",
            hint=f"it names {', '.join(list(result.workflow.events)[:_NAMES])}; look at `type` of the source",
        )
    source = orphans[0].source
    keys = list(dict.fromkeys(_keys(result, source)))
    hint = f"look at the key of source {source} in the workflow"
    if there := _paths(folder, orphans[0].given, keys):
        hint = f"the first record of {source} has {', '.join(there)}"
    return UsageError(
        f"no record leads to a case: none of source {source} has {' or '.join(keys) or 'a key'}; "
        f"{plural(astray, 'record')}, none of them judged",
        hint=hint,
    )


def _keys(result: Result, source: str) -> list[str]:
    """The expressions that the keys of a source are read by."""
    stated = result.workflow.sources.get(source)
    found = [] if stated is None else list(stated.keys.values())
    return [*found, *(text for each in result.workflow.events.values() if each.source == source
                      for text in (each.keys or {}).values())]  # fmt: skip


def _paths(folder: Path, given: str, keys: list[str]) -> list[str]:
    """What the first record of a file of JSON lines holds, beside where a key was looked for; nothing where it is none."""
    path = next((each for each in (Path(given), folder / given) if each.is_file()), None)
    if path is None:
        return []
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            record = json.loads(file.readline(_FIRST))
    except (OSError, ValueError, EOFError):
        return []
    if not isinstance(record, dict):
        return []
    *above, _ = (keys[0] if keys else "x").split(".")
    for place, step in enumerate(above):
        if not isinstance(record.get(step), dict):
            above = above[:place]
            break
        record = record[step]
    shown = [visible(".".join([*above, str(name)]))[:60] for name in list(record)[:_NAMES]]
    return [*shown, "…"] if len(record) > _NAMES else shown
