"""Kafka's headers, as lists of a name and bytes. Imports nothing of any client.

producer.produce(topic, value, headers=headers())
with bound(extract(message.headers())):
    ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sagacity.correlation import carried
from sagacity.correlation.context import Correlation, current, new_id

__all__ = ["extract", "headers"]

_Value = str | bytes | None


def headers(existing: Iterable[tuple[str, _Value]] | None = None) -> list[tuple[str, _Value]]:
    """These headers with what is bound added. Where they are a CloudEvent's (`ce_specversion`), its attributes are, too."""
    found: list[tuple[str, _Value]] = list(existing or ())
    present = {name.lower() for name, _ in found}
    added = list(carried.fields_of(current(), present))
    if "ce_specversion" in present:
        bare = {name.removeprefix("ce_") for name in present if name.startswith("ce_")}
        known = {carried.FIELDS["id"][0]} if "correlationid" in bare else set()
        added += [
            (f"ce_{'correlationid' if name == carried.FIELDS['id'][0] else name}", value)
            for name, value in carried.fields_of(current(), bare | known)
        ]
    return [*found, *((name, value.encode("ascii")) for name, value in added)]


def extract(headers: Iterable[tuple[str, _Value]] | None, *, new_id: Callable[[], str] = new_id) -> Correlation:
    """What a message's headers carry; None, as a client says for no headers, carries nothing."""
    return carried.extract(headers, new_id=new_id)
