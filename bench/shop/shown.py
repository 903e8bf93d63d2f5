"""What came of it, as tables."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench.setting import Setting
from bench.shop.figures import told
from bench.table import table

if TYPE_CHECKING:
    from bench.shop.course import Came

__all__ = ["WrongError", "shop", "shown"]


class WrongError(Exception):
    """Something did not end as it must; the text is the table."""


def shop(setting: Setting) -> str:
    """All rounds, once. Raises WrongError."""
    if find_spec("shop.local") is None:
        return (
            "### Purchases\n\nThe shop is not installed here: pip install -e '.[kafka,saga,postgres]' -e './shop[local]'\n"
        )
    from bench.shop.course import Asked, course
    from shop.customers.edge import OutOfPatienceError

    try:
        came = course(Asked(), setting.say)
    except OutOfPatienceError as error:
        raise WrongError(f"### Purchases\n\n{error}\n") from error
    if not came.well:
        raise WrongError(shown(came))
    return shown(came, hops=True)


def shown(came: Came, *, hops: bool = False) -> str:
    """The table of the rounds, and on demand that of where the time of a purchase goes."""
    text = told(came.rounds)
    if hops and came.hops:
        rows = [(name, f"{took:.1f}") for name, took in came.hops.items()]
        text += "\n" + table("Where the time goes, one at a time", ("from the one before", "p50 ms"), rows)
    return text
