"""What `import sagacity.saga` offers: what defines sagas at once, what runs them on first use."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import sagacity.saga


def test_defining_a_saga_needs_no_driver() -> None:
    code = (
        "import sys, sagacity.saga\n"
        "sagacity.saga.Saga('s', 1, (sagacity.saga.Step('a', 'A', 't', 'UndoA'),))\n"
        "print([each for each in ('psycopg', 'confluent_kafka', 'duckdb', 'asyncio') if each in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("name", [name for name in sagacity.saga.__all__ if name != "Happening"])
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(sagacity.saga, name))


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Orchestra'"):
        sagacity.saga.Orchestra  # noqa: B018
