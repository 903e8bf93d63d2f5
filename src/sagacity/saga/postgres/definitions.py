"""The versions of definitions: kept beside the sagas, so that any replica can run any of them without its code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from sagacity.errors import DefinitionError, UsageError
from sagacity.messaging.postgres import outbox
from sagacity.saga.decision import SagaEvent
from sagacity.saga.definition import Saga, decode, encode
from sagacity.saga.messages import event_message
from sagacity.saga.postgres.connection import Connection
from sagacity.saga.postgres.store import given, write
from sagacity.saga.state import SagaState

__all__ = ["Version", "known", "migrate", "one", "register", "versions"]

_REGISTER = """
insert into sagacity.saga_definitions (name, version, definition) values (%s, %s, %s) on conflict do nothing
"""
_KEPT = "select definition from sagacity.saga_definitions where name = %s and version = %s"
_ALL = "select definition from sagacity.saga_definitions order by name, version"
_VERSIONS = """
select name, version, since, (
    select count(*) from sagacity.sagas where definition = name and sagas.version = kept.version and ended is null
), definition
from sagacity.saga_definitions as kept order by name, version
"""
_NEWEST = """
select definition from sagacity.saga_definitions
where name = %(name)s and (%(version)s::integer is null or version = %(version)s) order by version desc limit 1
"""
_KEYS = "select name, version from sagacity.saga_definitions order by name, version"
_OF_VERSION = """
select id, revision, state from sagacity.sagas
where definition = %s and version = %s and ended is null order by id limit %s for update
"""


class Version(msgspec.Struct, frozen=True):
    """A version that is kept: since when (ISO 8601), and how many sagas that have not ended are on it. `problem` says why
    it cannot be read, where it cannot: its sagas are in quarantine then."""

    name: str
    version: int
    since: str
    open: int
    problem: str | None = None


async def register(connection: Connection, definition: Saga) -> None:
    """Keep a definition. Raises UsageError where another is kept under its name and version."""
    document = encode(definition).decode()
    written = await connection.execute(_REGISTER, (definition.name, definition.version, document))
    if written.rowcount:
        return
    row = await (await connection.execute(_KEPT, (definition.name, definition.version))).fetchone()
    if row is None or _read(row[0])[0] != definition:
        raise UsageError(
            f"the saga {definition.name} {definition.version} is kept already, and is another",
            hint=f"give what has changed the version {definition.version + 1}: running sagas stay on theirs",
        )


async def known(connection: Connection) -> dict[tuple[str, int], Saga]:
    """Every definition that is kept, by name and version. One that cannot be read is left out: its sagas are quarantined."""
    rows = await (await connection.execute(_ALL)).fetchall()
    found = [definition for (document,) in rows if (definition := _read(document)[0]) is not None]
    return {(each.name, each.version): each for each in found}


async def one(connection: Connection, name: str, version: int | None = None) -> Saga:
    """A definition that is kept, of the newest version unless one is given. Raises UsageError where there is none, or it
    cannot be read."""
    row = await (await connection.execute(_NEWEST, {"name": name, "version": version})).fetchone()
    what = f"saga {name!r}" + (f" of version {version}" if version else "")
    if row is None:
        kept = await (await connection.execute(_KEYS)).fetchall()
        numbers = [str(number) for of, number in kept if of == name]
        others = ", ".join(dict.fromkeys(of for of, _ in kept)) or "none"
        hint = f"of {name} these are kept: {', '.join(numbers)}" if numbers else f"kept are {others}"
        raise UsageError(f"no definition of a {what} is kept", hint=hint)
    definition, problem = _read(row[0])
    if definition is None:
        raise UsageError(f"the definition of the {what} cannot be read: {problem}", hint="give it anew as the next version")
    return definition


async def versions(connection: Connection) -> Sequence[Version]:
    """What is kept, by name and version."""
    rows = await (await connection.execute(_VERSIONS)).fetchall()
    return [
        Version(name, version, since.isoformat(), open, _read(document)[1]) for name, version, since, open, document in rows
    ]


def _read(document: str) -> tuple[Saga | None, str | None]:
    """A definition as it is kept; or why it cannot be read."""
    try:
        return decode(document), None
    except (msgspec.MsgspecError, DefinitionError, ValueError, RecursionError) as error:
        return None, " ".join(str(error).split())[:500]


async def migrate(
    connection: Connection,
    definition: Saga,
    origin: int,
    change: Callable[[SagaState], SagaState],
    *,
    by: str,
    most: int = 1000,
    publish: bool = True,
) -> int:
    """Move sagas that have not ended from the version `origin` to this definition, in the connection's transaction; how
    many.

    `change` makes the new state of each: usually `msgspec.structs.replace(saga, version=2, steps={...})`. Nothing is sent by
    it: what is in flight stays so. At most so many are moved; call again until none is left. `publish`: whether it is told
    in the topic of the sagas' events, as an orchestrator with `events` does.
    Raises UsageError where what it makes does not fit the definition; then none is moved.
    """
    await register(connection, definition)
    rows = await (await connection.execute(_OF_VERSION, (definition.name, origin, most))).fetchall()
    moved: list[tuple[int, SagaState]] = []
    events: list[SagaEvent] = []
    for kept in given(rows).values():
        if kept.saga is None:
            continue
        saga = change(kept.saga)
        _check(definition, kept.saga, saga)
        number = kept.saga.events + 1
        moved.append((kept.revision, msgspec.structs.replace(saga, events=number)))
        events.append(
            SagaEvent(
                type="SagaMigrated",
                time=saga.changed,
                saga=saga.id,
                definition=definition.name,
                version=definition.version,
                number=number,
                cause=f"moved from version {origin}",
                by=by,
            )
        )
    await write(connection, (), moved, events)
    if publish:
        told = [event_message(definition, saga, event) for (_, saga), event in zip(moved, events, strict=True)]
        await outbox.send(connection, told)
    return len(moved)


def _check(definition: Saga, before: SagaState, after: SagaState) -> None:
    wanted, made = [step.name for step in definition.steps], list(after.steps)
    if (after.definition, after.version) != (definition.name, definition.version):
        told = f"it is {after.definition} {after.version}, and not {definition.name} {definition.version}"
    elif made != wanted:
        told = f"its steps are {', '.join(made)}, and not {', '.join(wanted)}"
    elif after.id != before.id:
        told = f"its id has become {after.id}"
    else:
        return
    raise UsageError(f"saga {before.id} cannot be moved: {told}", hint="mend the function that makes the new state")
