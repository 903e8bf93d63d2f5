"""Parts that are installed when they are needed."""

from __future__ import annotations

from pathlib import Path

import pytest

import sagacity
from sagacity.cli.extras import needed
from sagacity.errors import UsageError


def test_what_is_absent_is_named_with_an_installation_that_works_from_a_clone() -> None:
    with pytest.raises(UsageError) as refused:
        needed("serve", "msgspec", "no_such_package")
    assert "no_such_package" in refused.value.message
    assert "msgspec" not in refused.value.message
    assert refused.value.hint == "pip install '.[serve]' in a clone of Sagacity"


def test_nothing_advises_to_install_by_a_name_that_no_index_has() -> None:
    for path in Path(sagacity.__file__).parent.rglob("*.py"):
        assert "install 'sagacity[" not in path.read_text(encoding="utf-8"), path
