"""`python -m tests.chaos.shop --seconds 300 --seed 1`: a campaign, and what was done and survived; the exit code is 0 where
nothing is wrong. Where something is, logs and messages are kept in the folder that is named."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from sagacity.testing.servers.unavailable import UnavailableError

from .campaign import campaign
from .figures import shown


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.shop", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0, help="how long customers buy and faults strike")
    parser.add_argument("--seed", type=int, default=1, help="decides what is bought, and what is struck when")
    parser.add_argument("--rate", type=float, default=3.0, help="purchases a second")
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between injuries, on average")
    parser.add_argument("--folder", type=Path, help="kept afterwards; else a temporary one, kept where something is wrong")
    given = parser.parse_args()
    folder = (given.folder or Path(tempfile.mkdtemp(prefix="chaos-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = campaign(folder, given.seconds, given.seed, rate=given.rate, pause=given.pause, say=_say)
    except UnavailableError as error:
        _say(f"cannot start: {error}")
        return 1
    except BaseException:
        _say(f"ended by an error; logs are in {folder}")
        raise
    print(shown(outcome))
    for each in outcome.wrong:
        print(f"wrong: {each}")
    if outcome.wrong:
        print(f"logs and messages are in {folder}")
        return 1
    if given.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
