"""`python -m tests.chaos.sagas --sagas 10000 --seed 1`: a campaign, and how it went; the exit code is 0 where nothing is
wrong. Where something is, everything is kept in the folder that is named."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from .campaign import campaign


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.sagas", description=__doc__.partition("\n")[0])
    parser.add_argument("--sagas", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="decides what sagas suffer, and what is killed when")
    parser.add_argument("--rate", type=float, default=60.0, help="sagas started a second")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between kills, on average")
    parser.add_argument("--disasters", type=int, default=5, help="how often PostgreSQL is killed, and the broker restarted")
    parser.add_argument("--folder", type=Path, help="kept afterwards; else a temporary one, kept where something is wrong")
    given = parser.parse_args()
    folder = (given.folder or Path(tempfile.mkdtemp(prefix="sagas-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = campaign(
            folder, given.sagas, given.seed, rate=given.rate, pause=given.pause, disasters=given.disasters, say=_say
        )
    except BaseException:
        print(f"ended by an error; everything is in {folder}", file=sys.stderr)
        raise
    found = outcome.account
    kills = ", ".join(f"{name} {many}" for name, many in sorted(outcome.kills.items()))
    _say(
        f"seed {given.seed}: {given.sagas} sagas in {outcome.under_fire:.0f} s under fire, settled {outcome.settled:.1f} s "
        f"after it; {sum(outcome.kills.values())} kills ({kills}); {outcome.messages} messages"
    )
    ended = ", ".join(f"{many} {status}" for status, many in sorted(outcome.statuses.items()))
    _say(
        f"{ended}; {outcome.parked} were parked as planted, and resumed; {found.turned} turned back by outages; "
        f"{found.stuck} stuck, {found.lost} lost compensations, {found.doubled} doubled effects, {found.other} else wrong"
    )
    _say(f"the workflow that is generated: {outcome.findings} findings for {outcome.planted} planted faults")
    for each in outcome.wrong:
        _say(f"wrong: {each}")
    if outcome.wrong:
        _say(f"everything is in {folder}")
        return 1
    if given.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    _say(f"nothing is wrong; {outcome.seconds:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
