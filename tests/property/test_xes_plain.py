"""The law of reading event logs: plain traces and the parser say the same, in rows as in what is wrong and where."""

from __future__ import annotations

import io
from xml.parsers import expat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagacity.errors import SourceError
from sagacity.sources.xes import read_log
from sagacity.sources.xes_feed import LogFeed
from sagacity.sources.xes_writer import LogWriter

PLAIN = '<trace><string key="concept:name" value="1"/>\n<event><date key="at" value="2026-01-01"/></event>\n</trace>\n'
TRACES = [
    PLAIN,
    PLAIN.replace("\n", ""),
    PLAIN.replace("\n", "\r\n"),
    PLAIN.replace("\n", "\r"),
    PLAIN.replace("2026-01-01", "Zoë \\ > ' 日本"),
    PLAIN.replace("2026-01-01", "a &amp; b"),
    PLAIN.replace("2026-01-01", "two\nlines\tand a tab"),
    PLAIN.replace("2026-01-01", "\ufffe"),
    PLAIN.replace("2026-01-01", "a < b"),
    PLAIN.replace("date", "other"),
    PLAIN.replace("date", "x:date"),
    PLAIN.replace("key=", "key = "),
    PLAIN.replace('"', "'"),
    PLAIN.replace("<event>", "text <event>"),
    PLAIN.replace("<event>", "<!-- </trace> --><event>"),
    PLAIN.replace("<event>", "<![CDATA[ </event></trace> ]]><event>"),
    PLAIN.replace("</event>", '<list key="l"><values><int key="n" value="1"/></values></list></event>'),
    PLAIN.replace("</event>", '<string key="at" value="again"/></event>'),
    PLAIN.replace("</event>", '<string key="_line" value="none"/></event><event/>'),
    PLAIN.replace("</trace>", '<string key="late" value="1"/></trace>'),
    PLAIN.replace("</trace>", "</trace >"),
    PLAIN.replace("</event>", "</evnt>"),
    PLAIN.replace("</trace>", ""),
    "<trace/>",
    "<trace/><!-- </trace>" + PLAIN + "-->",
    "<!-- " + PLAIN + " -->\n",
    "<?note " + PLAIN + " ?>\n",
    '<event><string key="at" value="1"/></event>',
    '<global scope="trace">' + PLAIN + "</global>",
    "</log>",
    " \n &nothing; ",
]
HEADS = [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<?xml version="1.0" encoding="ISO-8859-1"?>',
    "<!-- one -->",
    "\ufeff",
    "",
]


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    traces = draw(st.lists(st.one_of(st.just(PLAIN), st.sampled_from(TRACES)), max_size=6))
    text = draw(st.sampled_from(HEADS)) + '<log xmlns="x">' + PLAIN + "".join(traces) + "</log>"
    log = text.encode("utf-8")
    return log[: draw(st.integers(0, len(log)))] if draw(st.booleans()) else log


def by_the_parser_alone(log: bytes) -> tuple[bytes, object]:
    out = io.BytesIO()
    writer = LogWriter(out, "log", 0)
    try:
        writer.parser.Parse(log, True)
    except expat.ExpatError as error:
        return b"", (error.code, error.lineno, error.offset, writer.row + writer.pending)
    except SourceError as error:
        return b"", str(error)
    writer.flush()
    return out.getvalue(), writer.row


def in_blocks(log: bytes, size: int) -> tuple[bytes, object]:
    out = io.BytesIO()
    writer = LogWriter(out, "log", 0)
    feed = LogFeed(writer)
    try:
        for start in range(0, len(log), size):
            feed.take(log[start : start + size])
        feed.end()
    except expat.ExpatError as error:
        return b"", (error.code, error.lineno, error.offset, writer.row + writer.pending)
    except SourceError as error:
        return b"", str(error)
    writer.flush()
    return out.getvalue(), writer.row


LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?><log>' + PLAIN + PLAIN.replace("2026", "Zoë") + "</log>"
ONE_LINE = "<log>" + PLAIN.replace("\n", "") * 3 + "</lag>"


@example(LATIN.encode(), 1 << 20)
@example(ONE_LINE.encode(), 1 << 20)
@given(logs(), st.sampled_from([1, 7, 100, 1000, 1 << 20]))
def test_a_log_reads_the_same_whole_and_in_blocks_as_by_the_parser_alone(log: bytes, size: int) -> None:
    assert in_blocks(log, size) == by_the_parser_alone(log)


def test_plain_traces_pass_the_parser_by() -> None:
    """What the law would not notice: that nothing is ever taken for plain."""
    log = b"<log>" + PLAIN.encode() * 100 + b"</log>"
    writer = LogWriter(io.BytesIO(), "log", 0)
    feed = LogFeed(writer)
    feed.take(log)
    feed.end()
    assert writer.row == 100
    assert writer.parser.CurrentByteIndex < len(log) / 10


def test_a_log_of_plain_traces_cut_short_says_where() -> None:
    with pytest.raises(SourceError, match=r"^log:11: the log ends in the middle, after 3 events"):
        read_log(io.BytesIO(b"<log>\n" + PLAIN.encode() * 3), io.BytesIO(), "log")
