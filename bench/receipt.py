"""A real log, of permits that a municipality received, parted by time: what is learnt from, and what is judged."""

from __future__ import annotations

import gzip
import re
from datetime import datetime
from pathlib import Path

__all__ = ["LOG", "parted"]

LOG = Path(__file__).resolve().parents[2] / "shared" / "data" / "receipt.xes.gz"
"""Where the log lies, beside the project; it is no part of it."""

_TRACE = re.compile(rb"<trace>.*?</trace>\s*", re.DOTALL)
_TIME = re.compile(rb'<event>.*?key="time:timestamp" value="([^"]+)"', re.DOTALL)


def parted(log: Path, later: Path, share: float = 0.7) -> tuple[str, int, int]:
    """Write the cases that began in the last part of all to `later`. The instant at which they began to, in ISO 8601, and
    how many cases began before and from then on."""
    text = gzip.decompress(log.read_bytes())
    traces = sorted(_TRACE.findall(text), key=_began)
    cut = int(share * len(traces))
    head, end = text[: text.index(b"<trace>")], b"</log>\n"
    later.write_bytes(head + b"".join(traces[cut:]) + end)
    return _began(traces[cut]).isoformat(), cut, len(traces) - cut


def _began(trace: bytes) -> datetime:
    return min(datetime.fromisoformat(time.decode()) for time in _TIME.findall(trace))
