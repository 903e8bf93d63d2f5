"""The page as a whole: head, policy, navigation, sections, scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from sagacity.reconcile.result import Result
from sagacity.report.html import sections
from sagacity.report.html.assets import asset
from sagacity.report.html.findings import findings_data, findings_section, listed_said
from sagacity.report.markup import Child, Markup, tag
from sagacity.report.picture import PICTURE_CSS
from sagacity.report.summary import seconds
from sagacity.report.text import plural
from sagacity.workflow.words.wording import instant

__all__ = ["framed", "policy", "render_html"]


def render_html(result: Result, limit: int = 1_000) -> str:
    """One page that holds everything it needs: no request leaves it, and nothing in the data can run in it.

    The table of findings holds the first `limit` of them; counts and charts are always over all.
    """
    listed = result.findings.head(limit)
    total = len(result.findings)
    style = Markup(asset("report.css") + PICTURE_CSS)
    theme = Markup(asset("theme.js"))
    modules = [Markup(asset("hints.js")), *([Markup(asset("findings.js"))] if total else [])]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style, [theme, *modules])),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content="Sagacity"),
        tag("title", f"{result.workflow.name}: report"),
        tag("link", rel="icon", href="data:,"),
        tag("style", style),
        tag("script", theme),
    )
    parts = _sections(result, total, len(listed), findings_section(result, listed), frozenset(f.expectation for f in listed))
    links = [tag("li", tag("a", name, href=f"#{key}")) for key, name, _, _ in parts]
    bodies = [
        tag(
            "section",
            tag("h2", name, id=f"{key}-title", tabindex="-1"),
            tag("p", lead, class_="lead") if lead else None,
            body,
            id=key,
            aria_labelledby=f"{key}-title",
        )
        for key, name, lead, body in parts
    ]
    body = tag(
        "body",
        tag("a", "Skip to the findings", href="#findings", class_="skip"),
        _header(result),
        tag("nav", tag("ul", links), class_="jump", aria_label="Sections"),
        tag("main", tag("div", bodies, class_="wrap"), id="main"),
        tag("footer", tag("div", "Made by Sagacity. Times are UTC.", class_="wrap")),
        findings_data(listed) if total else None,
        [tag("script", module, type="module") for module in modules],
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def framed(
    title: str,
    kicker: str,
    heading: str,
    about: str,
    sections: Sequence[tuple[str, str, str, Markup]],
    *,
    modules: Sequence[Markup] = (),
    data: Child = None,
    skip: tuple[str, str],
) -> str:
    """A page of sections: `(id, title, lead, body)` of each. `modules` are scripts, `data` is what they read; `skip` leads
    past the top."""
    style, theme = Markup(asset("report.css") + PICTURE_CSS), Markup(asset("theme.js"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style, [theme, *modules])),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content="Sagacity"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", style),
        tag("script", theme),
    )
    bodies = [
        tag(
            "section",
            tag("h2", name, id=f"{key}-title", tabindex="-1"),
            tag("p", lead, class_="lead") if lead else None,
            body,
            id=key,
            aria_labelledby=f"{key}-title",
        )
        for key, name, lead, body in sections
    ]
    links = [tag("li", tag("a", name, href=f"#{key}")) for key, name, _, _ in sections]
    top = tag("div", tag("p", kicker, class_="kicker"), tag("h1", tag("bdi", heading)), tag("p", about, class_="about"))
    toggle = tag("button", "Automatic colours", id="theme", type="button", class_="theme", hidden=True)
    body = tag(
        "body",
        tag("a", skip[1], href=f"#{skip[0]}", class_="skip"),
        tag("header", tag("div", tag("div", top, toggle, class_="row"), class_="wrap"), class_="top"),
        tag("nav", tag("ul", links), class_="jump", aria_label="Sections"),
        tag("main", tag("div", bodies, class_="wrap"), id="main"),
        tag("footer", tag("div", "Made by Sagacity. Times are UTC.", class_="wrap")),
        data,
        [tag("script", module, type="module") for module in modules],
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(result: Result) -> Markup:
    workflow = result.workflow
    events = sum(account.events - account.redelivered_events for account in result.accounts)
    rate = f", {events / result.elapsed:,.0f} events/s" if result.elapsed > 0 and events else ""
    about = (
        f"As of {instant(result.as_of)}. {plural(events, 'event')} in {plural(result.cases.total, 'case')}, "
        f"judged in {seconds(result.elapsed)}{rate}."
    )
    title = tag(
        "div",
        tag("p", f"Workflow, version {workflow.version}", class_="kicker"),
        tag("h1", tag("bdi", workflow.name)),
        tag("p", tag("bdi", workflow.description), class_="about") if workflow.description else None,
        tag("p", about, class_="about"),
    )
    toggle = tag("button", "Automatic colours", id="theme", type="button", class_="theme", hidden=True)
    return tag("header", tag("div", tag("div", title, toggle, class_="row"), class_="wrap"), class_="top")


def _sections(
    result: Result, total: int, listed: int, table: Markup, with_findings: frozenset[str]
) -> list[tuple[str, str, str, Markup]]:
    parts: list[tuple[str, str, str, Markup | None]] = [
        ("verdict", "Verdict", "", sections.verdict(result)),
        (
            "expectations",
            "Expectations",
            "What is asked of a case, and in how many cases it failed. A number of findings leads to them.",
            sections.expectations(result, with_findings),
        ),
        (
            "map",
            "Workflow",
            "Event types with the number of their events, and what is expected between them.",
            sections.workflow_map(result),
        ),
        ("over-time", "Findings over time", "By the instant since which each finding stands.", sections.over_time(result)),
        (
            "delays",
            "Delays",
            "How long it took from one event to the next, against the deadline, over cases with a single such event.",
            sections.delays(result),
        ),
        (
            "worst",
            "Worst cases",
            "The cases with the most findings. Full marks are events, dashed ones stand where an event was due; "
            "the axis shortens long gaps.",
            sections.worst(result),
        ),
        ("findings", "Findings", listed_said(listed, total) if total else "", table),
        (
            "accounting",
            "Where the events came from",
            "Every raw record is accounted for: the parts of each row add up to its records.",
            sections.accounting(result),
        ),
    ]
    return [(key, name, lead, body) for key, name, lead, body in parts if body is not None]


def policy(style: str, scripts: list[Markup]) -> str:
    """Nothing is loaded from anywhere, and only the page's own style and scripts count."""
    allowed = " ".join(_hash(script) for script in scripts)
    rules = (
        "default-src 'none'",
        f"style-src {_hash(style)}",
        f"script-src {allowed}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
