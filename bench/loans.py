"""An event log in XES of the size of a year of loan applications: 262,228 events of 24 activities in 13,087 cases."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

__all__ = ["EVENTS", "loans"]

EVENTS = 262_200
_CASES = 13_087
_START = datetime(2025, 1, 1, tzinfo=UTC)
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
"""


def loans(folder: Path) -> Path:
    """The log, made once and kept."""
    target = folder / "loans.xes.gz"
    if target.exists():
        return target
    random, left = Random(12), EVENTS
    partial = target.with_suffix(".partial")
    with gzip.open(partial, "wt", encoding="utf-8", compresslevel=3) as out:
        out.write(_HEAD)
        for number in range(_CASES):
            cases = _CASES - number
            events = _case(random, left / cases, left - (cases - 1) * 3, last=cases == 1)
            left -= len(events)
            at = _START + timedelta(minutes=number * 40)
            amount = random.choice((5000, 10000, 15000, 25000, 50000))
            out.write(f'<trace><string key="concept:name" value="{170000 + number}"/>')
            out.write(f'<string key="AMOUNT_REQ" value="{amount}"/>\n')
            for name in events:
                at += timedelta(seconds=random.expovariate(1 / 7200))
                stamp = at.isoformat(timespec="milliseconds")
                said = f'<string key="concept:name" value="{name}"/><date key="time:timestamp" value="{stamp}"/>'
                out.write(f"<event>{said}</event>\n")
            out.write("</trace>\n")
        out.write("</log>\n")
    partial.rename(target)
    return target


def _case(random: Random, mean: float, most: int, *, last: bool) -> list[str]:
    """The activities of a case: an application, work on it that goes to and fro, and an end. The last takes what is left."""
    found = ["A_SUBMITTED", "A_PARTLYSUBMITTED"]
    if not last and random.random() < 0.25:
        return [*found, "A_DECLINED"]
    found += ["A_PREACCEPTED", "W_Complete"] if random.random() < 0.7 else ["W_First"]
    accepted = random.random() < 0.6
    if accepted:
        found += ["A_ACCEPTED", "O_SELECTED", "A_FINALIZED", "O_CREATED", "O_SENT", "W_Call"]
    tail = ["O_SENT_BACK", "W_Validate", "O_ACCEPTED", "A_APPROVED", "A_REGISTERED", "A_ACTIVATED"]
    end = tail if accepted and random.random() < 0.6 else [random.choice(("A_CANCELLED", "A_DECLINED"))]
    if end is not tail and accepted:
        end = [*end, "O_CANCELLED" if end[0] == "A_CANCELLED" else "O_DECLINED"]
    room = most - len(found) - len(end)
    wanted = room if last else min(int(random.expovariate(1 / max(mean * 4 / 3 - len(found) - len(end) + 2, 1))), room)
    work = ["W_Call", "W_Complete", "W_Validate", "W_First", "W_Fraud", "W_Change", "W_Lost"]
    found += random.choices(work, weights=(40, 30, 15, 10, 1, 1, 1), k=max(wanted, 0))
    return [*found, *end]
