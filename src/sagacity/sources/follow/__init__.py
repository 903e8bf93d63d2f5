"""Records from files that are appended to, and from folders that files are put into.

stream.py      FollowStream: finds the files, and reads on from the ledger's positions
identity.py    what tells a file from another one of the same name
tail.py        a file that lines are appended to
packed.py      a file that is compressed with gzip
lines.py       complete lines as records
"""

from __future__ import annotations

from sagacity.sources.follow.stream import FollowStream

__all__ = ["FollowStream"]
