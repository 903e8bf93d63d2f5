"""The page as text: complete, well formed, self-contained, and with nothing in it that the data brought to life."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest

import report_samples as samples
from page_reader import read_page
from sagacity.report.html import render_html

ALL = (samples.realistic, samples.clean, samples.empty, samples.huge, samples.hostile)


@pytest.mark.parametrize("make", ALL)
def test_every_element_is_closed_and_every_id_is_unique(make: Any) -> None:
    reader = read_page(render_html(make(), 50))
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("make", ALL)
def test_nothing_is_loaded_from_anywhere(make: Any) -> None:
    reader = read_page(render_html(make(), 50))
    for tag, attributes in reader.elements:
        assert "src" not in attributes
        if "href" in attributes:
            assert (attributes["href"] or "").startswith(("#", "data:,")), tag
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_only_the_scripts_of_the_page_itself_are_allowed() -> None:
    page = render_html(samples.hostile())
    policy = next(a["content"] for _, a in read_page(page).elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script(?! type=\"application/json\")[^>]*>", page)
    assert len(scripts) == len(re.findall(r"sha256-", policy.split("script-src")[1].split(";")[0]))


def test_hostile_text_is_shown_and_not_run() -> None:
    page = render_html(samples.hostile())
    assert samples.HOSTILE not in page
    reader = read_page(page)
    assert any(samples.HOSTILE in text for text in reader.texts)
    data = json.loads(re.search(r'id="findings-data">(.*?)</script>', page, re.S).group(1))  # type: ignore[union-attr]
    assert any(samples.HOSTILE in value for row in data["rows"] for value in row if isinstance(value, str))


def test_the_table_says_how_many_findings_it_leaves_out() -> None:
    page = render_html(samples.huge(), 100)
    assert "The first 100 of 812,345 findings, worst first" in page
    data = json.loads(re.search(r'id="findings-data">(.*?)</script>', page, re.S).group(1))  # type: ignore[union-attr]
    assert len(data["rows"]) == 100


def test_nothing_found_is_said_and_needs_no_script_for_a_table() -> None:
    page = render_html(samples.clean())
    assert "All 120 cases are complete." in page
    assert "Nothing was found." in page
    assert "findings-data" not in page


def test_every_chart_has_its_numbers_in_a_table() -> None:
    page = render_html(samples.realistic())
    charts = page.count('class="chart"') + page.count('class="lanes"')
    assert charts == page.count("<summary>As a table</summary>") == 1 + 3 + 3


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in read_page(render_html(samples.realistic())).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_the_same_result_gives_the_same_page() -> None:
    assert render_html(samples.realistic()) == render_html(samples.realistic())
