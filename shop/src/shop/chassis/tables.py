"""Sagacity's own tables (outbox, inbox, what participants answered, sagas), made from within a service's revisions.

    def upgrade() -> None:
        bring_up_to_date(op.get_bind(), MESSAGING, PARTICIPANT)

A revision that says so can be repeated by a later one: each of the library's numbered steps is done once.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from sagacity.messaging.postgres.schema import Component, upgrade

__all__ = ["bring_up_to_date"]


def bring_up_to_date(bind: Connection, *components: Component) -> None:
    """Make the tables of these, or bring them to this program's version, in the revision's transaction."""
    for component in components:
        there = bind.execute(text("select to_regclass('sagacity.versions') is not null")).scalar()
        asked = text("select version from sagacity.versions where component = :component")
        version = bind.execute(asked, {"component": component.name}).scalar() if there else None
        if (version or 0) < len(component.steps):
            for statement in upgrade(component, version or 0):
                bind.exec_driver_sql(statement)
