"""Entity tags made of versions."""

from __future__ import annotations

import pytest

from shop.chassis.etags import etag, unchanged, wanted_versions
from shop.chassis.failures import Failure


@pytest.mark.parametrize(
    ("header", "same"),
    [
        (None, False),
        ('"7"', True),
        ('W/"7"', True),
        ('"6", "7"', True),
        ("*", True),
        ('"8"', False),
        ("7", False),
        ("", False),
    ],
)
def test_who_has_the_version_needs_no_answer(header: str | None, same: bool) -> None:
    assert unchanged(header, 7) is same
    assert etag(7) == '"7"'


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (None, None),
        ("*", None),
        ('"7"', (7,)),
        ('"7", "9"', (7, 9)),
        ('W/"7"', ()),  # a weak tag never matches here
        ('"somebody-else"', ()),
        (f'"{"9" * 40}"', ()),
    ],
)
def test_what_is_changed_must_be_of_a_version_that_was_named(header: str | None, versions: tuple[int, ...] | None) -> None:
    assert wanted_versions(header) == versions


@pytest.mark.parametrize("header", ["", "7", '"7', '"7" "8"'])
def test_a_condition_that_cannot_be_read_is_refused_and_not_passed_over(header: str) -> None:
    with pytest.raises(Failure) as refused:
        wanted_versions(header)
    assert refused.value.status == 400
