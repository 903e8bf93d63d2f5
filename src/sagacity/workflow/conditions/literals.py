"""Constants as conditions write them: numbers, instants with an offset, intervals of fixed length."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sagacity.workflow.conditions.condition import Constant
from sagacity.workflow.conditions.refusal import Refusal

__all__ = ["instant", "interval", "number"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+")
_FRACTION = re.compile(r"[.,]\d{6}(\d+)")
_AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?")

_DAY = 86_400_000_000
_UNITS = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": _DAY,
    "WEEK": 7 * _DAY,
}
_CALENDAR = {
    "MONTH": "months",
    "QUARTER": "quarters",
    "YEAR": "years",
    "DECADE": "decades",
    "CENTURY": "centuries",
    "MILLENNIUM": "millennia",
}
_SINGULAR = {plural.upper(): singular for singular, plural in _CALENDAR.items()}
_INTERVAL_HINT = "write one number and one unit, such as INTERVAL '3 days' or INTERVAL 15 MINUTE"


def number(text: str) -> Constant:
    """An integer or decimal literal; at most 38 digits, of which 18 after the point."""
    if _NUMBER.fullmatch(text) is None:
        raise Refusal(f"`{text}` is not a plain number", "write it out, such as 1500 or 0.015")
    whole, _, fraction = text.partition(".")
    if len(whole.lstrip("0")) + len(fraction) > 38 or len(fraction) > 18:
        raise Refusal(f"`{text}` has too many digits", "at most 38 are exact, of which 18 after the point")
    return Constant(Decimal(text), "decimal") if "." in text else Constant(int(text), "integer")


def instant(text: str) -> Constant:
    """A time written as ISO 8601 with an offset or Z, in microseconds since 1970-01-01T00:00Z."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refusal(f"'{text}' is not a time", "write it as '2026-11-01T00:00Z' or '2026-11-01T00:00+01:00'") from None
    if moment.tzinfo is None:
        written = text.strip() if len(text.strip()) > 10 else f"{text.strip()}T00:00"
        raise Refusal(f"'{text}' does not say in which time zone", f"add Z or an offset: '{written}Z', '{written}+01:00'")
    if (finer := _FRACTION.search(text)) and finer[1].strip("0"):
        raise Refusal(f"'{text}' is finer than a microsecond", "at most six digits after the point of the seconds")
    return Constant((moment - _EPOCH) // timedelta(microseconds=1), "time")


def interval(amount: str, unit: str) -> Constant:
    """A length of time in microseconds. Months and longer are refused, since their length depends on the calendar."""
    name = _SINGULAR.get(unit.upper(), unit.upper().removesuffix("S"))
    if name in _CALENDAR:
        raise Refusal(
            f"a length of time in {_CALENDAR[name]} depends on the calendar",
            "say it in days or weeks, such as INTERVAL '30 days'",
        )
    if name not in _UNITS or _AMOUNT.fullmatch(amount.strip()) is None:
        raise Refusal(f"`{f'{amount} {unit}'.strip()}` is not an interval", _INTERVAL_HINT)
    length = Decimal(amount.strip()) * _UNITS[name]
    if length != length.to_integral_value():
        raise Refusal(f"an interval of {amount} {unit.lower()} is finer than a microsecond")
    if abs(length) >= 2**63:
        raise Refusal(f"an interval of {amount} {unit.lower()} is too long")
    return Constant(int(length), "duration")
