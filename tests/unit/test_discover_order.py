"""Which relations hold, and which of them are worth saying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sagacity.discover.order import Ordered, ordered
from sagacity.discover.relations import Relations
from sagacity.discover.thresholds import rows_of
from sagacity.ledger.mining import LogShape, PairCount, TypeCount

Traces = dict[str, int]


def _relations(traces: Traces, threshold: float = 0.95) -> Relations:
    """The relations of cases, each a word whose letters are its events in order, with how many cases go so."""
    letters = sorted(set("".join(traces)))
    cases = sum(traces.values())
    types = [_type(letters.index(a), a, traces) for a in letters]
    pairs = [_pair(letters.index(a), letters.index(b), a, b, traces) for a in letters for b in letters if a != b]
    return Relations(LogShape(cases, cases, 0, 0, 0, {}), types, [each for each in pairs if each.both], threshold)


def _type(number: int, a: str, traces: Traces) -> TypeCount:
    having = {word: n for word, n in traces.items() if a in word}
    times: Counter[int] = Counter()
    for word, n in having.items():
        times[word.count(a)] += n
    places = sum(n * word.index(a) / max(len(word) - 1, 1) for word, n in having.items())
    return TypeCount(
        number,
        sum(having.values()),
        sum(n * word.count(a) for word, n in having.items()),
        dict(times),
        sum(n for word, n in having.items() if word[0] == a),
        sum(n for word, n in having.items() if word[-1] == a),
        places / sum(having.values()),
    )


def _pair(x: int, y: int, a: str, b: str, traces: Traces) -> PairCount:
    both = {word: n for word, n in traces.items() if a in word and b in word}
    return PairCount(
        x,
        y,
        sum(both.values()),
        sum(n for word, n in both.items() if word.index(a) < word.index(b)),
        sum(n for word, n in both.items() if word.rindex(b) > word.rindex(a)),
        sum(n for word, n in both.items() if word.rindex(a) < word.index(b)),
    )


def _said(traces: Traces) -> dict[str, list[str]]:
    letters = sorted(set("".join(traces)))
    found: Ordered = ordered(_relations(traces))

    def words(pairs: Sequence[tuple[int, int]]) -> list[str]:
        return [letters[a] + letters[b] for a, b in pairs]

    return {name: words(getattr(found, name)) for name in found.__struct_fields__}


def test_a_chain_is_said_link_by_link() -> None:
    said = _said({"abcd": 100})
    assert said["answers"] == said["follows"] == ["ab", "bc", "cd"]
    assert said["never_after"] == said["exclusive"] == said["attends"] == []


def test_branches_that_run_side_by_side_each_follow_what_came_before() -> None:
    said = _said({"abcd": 50, "acbd": 50})
    assert said["follows"] == ["ab", "ac", "bd", "cd"]


def test_a_rule_survives_two_cases_in_a_hundred_against_it() -> None:
    said = _said({"abc": 98, "bac": 2})
    assert "ab" in said["follows"]


def test_branches_that_exclude_each_other_are_named_by_their_first_events() -> None:
    said = _said({"abc": 60, "ade": 60})
    assert said["exclusive"] == ["bd"]


def test_what_need_not_come_is_still_said_to_come_before() -> None:
    said = _said({"abxc": 30, "abc": 100, "axbc": 30, "abcy": 30, "axbcy": 20, "abxcy": 20})
    assert "cx" not in said["follows"]
    assert said["answers"].count("xc") == 1


def test_events_that_come_together_in_any_order_each_attend_the_other() -> None:
    said = _said({"axy": 20, "ayx": 20, "a": 60})
    assert sorted(said["attends"]) == ["xy", "yx"]


def test_what_never_comes_after_is_said_where_nothing_else_says_so() -> None:
    traces = {"axxyyb": 20, "axyb": 20, "axb": 40, "ayb": 40}
    assert "yx" in _said(traces)["never_after"]


def test_of_what_hardly_happens_nothing_is_said() -> None:
    said = _said({"ab": 996, "axb": 4})
    assert all("x" not in pair for pairs in said.values() for pair in pairs)


def test_cases_in_which_something_comes_another_number_of_times_are_breaches() -> None:
    def breaches(traces: Traces) -> dict[float, int]:
        found = _relations(traces)
        shape = LogShape(found.cases, found.cases, 0, 0, 0, {})
        return {row.threshold: row.breaches for row in rows_of(shape, [*found.types.values()], [*found.pairs.values()])}

    assert breaches({"abb": 97, "ab": 2, "abbb": 1})[0.95] == 3
    assert breaches({"abb": 58, "ab": 1, "abbb": 1, "a": 40})[0.95] == 1
    assert breaches({"abb": 100})[0.95] == 0
