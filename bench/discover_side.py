"""One discovery in a process of its own: seconds of reading and of proposing, on the wall and of processor time, as JSON.

`python -m bench.discover_side CASE UNTIL OUT FILES…`; `-` stands for none.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from sagacity.reconcile.discovery import Discovery


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    case, until, out, *files = (None if argument == "-" else argument for argument in sys.argv[1:])
    began, worked = time.monotonic(), _processor()
    with Discovery([file for file in files if file], case, until=until) as discovery:
        read, read_worked = time.monotonic(), _processor()
        proposal = discovery.propose()
        done, done_worked = time.monotonic(), _processor()
    if out is not None:
        Path(out).write_text(proposal.text, encoding="utf-8")
    found = {
        "reading": read - began,
        "reading_cpu": read_worked - worked,
        "proposing": done - read,
        "proposing_cpu": done_worked - read_worked,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "events": proposal.shape.events,
        "rules": len(proposal.rules),
        "lines": proposal.text.count("\n"),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
