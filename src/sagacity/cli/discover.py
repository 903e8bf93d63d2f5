"""`sagacity discover`: a workflow that history suggests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagacity.cli.asking import LENIENT, MAX_REJECTED, MEMORY, THREADS, promised, screen, watching, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sagacity.discover.keys import Keys
    from sagacity.discover.proposal import Proposal

__all__ = ["command"]

_OUT = {"metavar": "FILE", "show_default": False}
_FIELD = {"metavar": "FIELD", "show_default": False}
_LEAST_WIDTH = 60
_LISTED = 6


def command(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Event logs: files, folders, globs; JSONL, CSV, Parquet or XES. With --into they may be left out, and are "
            "named as --source of check names them.",
            show_default=False,
        ),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(
            "--case",
            help="The field whose value ties events together; repeat it for keys that link. "
            "Without it, candidates are listed.",
            **_FIELD,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the workflow there. Default: to standard output.", **_OUT)
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write what happens, and why each rule, as one HTML page.", **_OUT)
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Propose what holds in so large a share of the cases that it concerns.")
    ] = 0.95,
    type: Annotated[str | None, typer.Option("--type", help="The field that holds an event's type.", **_FIELD)] = None,
    time: Annotated[str | None, typer.Option("--time", help="The field that holds its time.", **_FIELD)] = None,
    id: Annotated[str | None, typer.Option("--id", help="The field that holds its id.", **_FIELD)] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="INSTANT", help="Learn from events up to this instant only.", show_default=False),
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Ask of each rule whether it is accepted; write those that are.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="RULES",
            help="Write these rules as accepted: all, their numbers, 1,3-5, or the name of one. May be repeated.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who accepts. Default: the user.", show_default=False)
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="WORKFLOW",
            help="Propose what this workflow does not say yet, and add what is accepted to its file.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a workflow that is there.")] = False,
    max_rejected: MAX_REJECTED = 0,
    lenient: LENIENT = False,
    memory: MEMORY = None,
    threads: THREADS = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, and no summary.")] = False,
) -> None:
    """Propose a workflow that history suggests, each rule with its evidence.

    What nearly always happens becomes a rule, and what is said already by other rules is left out. The file is a workflow as
    any other: read it, change it, and check by it.

    \b
    Examples:
      sagacity discover events/*.parquet --case order_id -o order.workflow.yaml
      sagacity discover events.jsonl --case order_id -o order.workflow.yaml --report discover.html
      sagacity discover permits.xes.gz -o permit.workflow.yaml --threshold 0.98
      sagacity discover events.jsonl                        (which fields could be --case?)
      sagacity discover events.jsonl --case data.order_id --until 2026-10-01T00:00Z
      sagacity discover events.jsonl --case order_id -o order.workflow.yaml --review
      sagacity discover events.jsonl --case order_id -o order.workflow.yaml --accept 1-5,8 --by anna
      sagacity discover events/2026-11.jsonl --into order.workflow.yaml            (what does it not say yet?)
      sagacity discover events/2026-11.jsonl --into order.workflow.yaml --review --by anna
    """
    from sagacity.errors import UsageError

    promised(tables=(), texts=(out, report))
    files = files or []
    if not files and into is None:
        raise UsageError("nothing is given to learn from", hint="name files, such as events/*.jsonl.gz")
    if any(each.endswith((".yaml", ".yml")) for each in files):
        raise UsageError("a workflow is what this makes", hint="name the events; check judges by a workflow")
    if into is not None and any((case, type, time, id)):
        raise UsageError(
            "the workflow says which fields are read", hint="leave --case, --type, --time and --id out with --into"
        )
    if out is not None and out.exists() and not force and out != into:
        raise UsageError(f"{out} is there already", hint="name another file, or overwrite it with --force")
    if review and accept is not None:
        raise UsageError("--review asks, and --accept does not", hint="leave one of them out")
    limits: dict[str, Any] = {"max_rejected": None if lenient else max_rejected, "memory": memory, "threads": threads}
    if into is not None:
        proposal = _extended(into, files, until, limits, threshold, quiet)
        chosen = _finished(proposal, report, review, accept)
        if chosen is None:
            typer.echo(_news(proposal, into))
        elif chosen:
            text = _accepted(proposal, chosen, by)
            _sound(text, into)
            written(out or into, text)
        if chosen is not None and not quiet:
            typer.echo(_summary(proposal, out or into, chosen))
        return
    from sagacity.reconcile.discovery import Discovery

    if not case and not any(each.endswith((".xes", ".xes.gz")) for each in files):
        _keys(files, type, time, memory, threads)
        return
    name = out.name.partition(".")[0] if out is not None else None
    with (
        watching(quiet) as progress,
        Discovery(
            files,
            case,
            type=type,
            time=time,
            id=id,
            name=name,
            until=until,
            folder=out.parent if out is not None else None,
            progress=progress,
            **limits,
        ) as discovery,
    ):
        proposal = discovery.propose(threshold)
    chosen = _finished(proposal, report, review, accept)
    text = proposal.text if chosen is None else _accepted(proposal, chosen, by)
    if out is None:
        sys.stdout.write(text)
    else:
        written(out, text)
        if not quiet:
            typer.echo(_summary(proposal, out, chosen))


def _extended(
    into: Path, files: list[str], until: str | None, limits: dict[str, Any], threshold: float, quiet: bool
) -> Proposal:
    """What history suggests for a workflow that is there."""
    from sagacity.reconcile.extension import Extension
    from sagacity.sources.resolve import parse_source_options
    from sagacity.workflow.language.reader import load

    sources = parse_source_options(files, load(into), option="")
    with watching(quiet) as progress, Extension(into, sources, until=until, progress=progress, **limits) as extension:
        return extension.propose(threshold)


def _sound(text: str, file: Path) -> None:
    """Raises WorkflowError where a file would have mistakes."""
    from sagacity.workflow.language.reader import loads

    loads(text, str(file))


def _finished(proposal: Proposal, report: Path | None, review: bool, accept: list[str] | None) -> frozenset[int] | None:
    """Write the page; the rules that are accepted, None where nobody was asked."""
    if report is not None:
        from sagacity.report.html.discovery import render_discovery

        written(report, render_discovery(proposal))
    if accept is not None:
        from sagacity.discover.accepting import chosen_of

        return chosen_of(accept, proposal.rules)
    if review:
        from sagacity.cli.reviewing import reviewed

        return reviewed(proposal)
    return None


def _accepted(proposal: Proposal, chosen: frozenset[int], by: str | None) -> str:
    import getpass

    from sagacity.discover.accepting import accepted
    from sagacity.reconcile.instants import now
    from sagacity.workflow.instants import instant

    if by is None:
        try:
            by = getpass.getuser()
        except (KeyError, OSError):  # nobody has a name here
            by = None
    return accepted(proposal, chosen, by=by, date=instant(now())[:10])


def _keys(files: list[str], type: str | None, time: str | None, memory: str | None, threads: int | None) -> None:
    """Print which fields could be the key."""
    from sagacity.reconcile.correlating import candidate_keys
    from sagacity.report.text import plural, visible

    found = candidate_keys(files, type=type, time=time, memory=memory, threads=threads)
    for source, keys in found.items():
        typer.echo(f"Which field ties the events of '{source}' together? Candidates for --case, the likeliest first:\n")
        if not keys.candidates:
            typer.echo("  none: no field recurs from event to event")
            typer.echo("  Name it with --case, or give the files of the other services, too.")
        for each in keys.candidates:
            typer.echo(
                f"  {visible(each.path)}\n      on {each.coverage:.0%} of the events, "
                f"of {len(each.types)} of {each.all_types} types; "
                f"{each.groups:,} groups of {each.events_a_group:.1f} events and {each.types_a_group:.1f} types on average"
            )
            more = min(len(each.types), each.all_types) - _LISTED
            listed = ", ".join(each.types[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
            typer.echo(f"      {visible(listed)}")
        for link in keys.links:
            typer.echo(
                f"\n  {visible(link.second)} links to {visible(link.first)}: {link.events:,} events carry both. "
                "Learn over both: --case for each."
            )
        for other in keys.elsewhere:
            of = f" of '{visible(other.source)}'" if other.source != source else ""
            held = f"{other.share:.0%} of the values of {visible(other.path)}"
            typer.echo(f"\n  {held} are values of {visible(other.other)}{of}.")
        if keys.unreadable:
            typer.echo(f"\n  note: {plural(keys.unreadable, 'record')} of '{visible(source)}' could not be read")
        typer.echo()
    if cases := _advised(found):
        typer.echo(f"Next: sagacity discover {visible(' '.join([*files[:3], *(f'--case {case}' for case in cases)]))}")


def _advised(found: Mapping[str, Keys]) -> list[str]:
    """The fields to go on with: a source's one candidate that stands out, or two that link."""
    from sagacity.discover.keys import chosen, together

    for source, keys in found.items():
        if fields := together(keys, source):
            return fields
        best = chosen(keys)
        if best is not None:
            return [best]
    held = [(each.share, each.other) for keys in found.values() for each in keys.elsewhere]
    return [max(held)[1]] if held else []


def _summary(proposal: Proposal, out: Path, chosen: frozenset[int] | None) -> str:
    from sagacity.discover.writing import rules_text
    from sagacity.report.text import plural, visible

    shape = proposal.shape
    if chosen is not None:
        new = "new rule" if proposal.into is not None else "rule"
        rules = plural(len(proposal.rules), new)
        if not chosen and proposal.into is not None:
            return f"nothing was accepted, and {out} was left as it is"
        head = f"wrote {out}: accepted {len(chosen):,} of {rules}, each with where it came from."
        listed = [f"  {place + 1}: {visible(proposal.rules[place].name)}" for place in sorted(chosen)]
        return "\n".join([head, *listed, f"Next: {_check(proposal, out)}"])
    of_ids = len(proposal.workflow.audited()) - len(proposal.rules)
    ids = ", and that each event id stands for one content" if of_ids else ""
    lines = [
        f"{_size(proposal)}; how often event types come, and how cases end, is counted over "
        f"the {shape.counted:,} of them that began early enough in the log to be over.",
        f"wrote {out}: {rules_text(proposal)}, about {plural(len(proposal.workflow.events), 'event type')}, each with its "
        f"evidence; {plural(proposal.violated, 'case')} break{'s' if proposal.violated == 1 else ''} one of these.",
        f"sagacity check judges by {len(proposal.rules) + of_ids:,} expectations: these{ids}.",
        *(f"note: {visible(note)}" for note in proposal.notes),
        f"Read it, change what is not so, then: {_check(proposal, out)}",
    ]
    return "\n".join(lines)


def _size(proposal: Proposal) -> str:
    from sagacity.report.text import plural

    return f"{plural(proposal.shape.events, 'event')} of {plural(proposal.shape.cases, 'case')}"


def _check(proposal: Proposal, out: Path) -> str:
    """How to check by a file, with the paths of what it names none for."""
    import shlex

    from sagacity.report.text import visible

    sources = [
        f" --source {visible(shlex.quote(f'{name}={path}'))}" for name, paths in proposal.unplaced.items() for path in paths
    ]
    return f"sagacity check {out}{''.join(sources)}"


def _news(proposal: Proposal, into: Path) -> str:
    """What a workflow does not say yet."""
    import textwrap

    from sagacity.discover.writing import evidence_text
    from sagacity.report.text import plural, visible

    width = max(screen()[0], _LEAST_WIDTH)
    rules = proposal.rules
    lines = [
        f"{_size(proposal)} suggest {plural(proposal.known + len(rules), 'rule')}; "
        f"{proposal.known:,} of them {into} has already, in these words or others."
    ]
    for place, rule in enumerate(rules, start=1):
        lines += ["", visible(f"{place}: {rule.name}")]
        lines += textwrap.wrap(
            visible(evidence_text(rule.candidate, rule.evidence)), width, initial_indent="    ", subsequent_indent="    "
        )
    lines += ["", *(f"note: {visible(note)}" for note in proposal.notes)] if proposal.notes else []
    if rules:
        lines += ["", "Nothing is written yet. To add them: --accept all, 1,3-5, or a name; --review asks of each."]
    return "\n".join(lines)
