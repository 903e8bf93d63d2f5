"""Accounts, sessions, attempts."""

from __future__ import annotations

from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table accounts (
            id bigint primary key,
            login text not null constraint accounts_login unique,
            email text not null,
            password text not null,
            first_name text not null,
            last_name text not null,
            address text not null,
            phone_number text not null,
            roles text[] not null,
            created_at timestamptz not null,
            changed_at timestamptz not null
        );
        create table sessions (
            id text primary key,
            customer_id bigint not null references accounts (id) on delete cascade,
            current text not null,
            expires_at timestamptz not null,
            revoked_at timestamptz
        );
        create index sessions_expires_at on sessions (expires_at);
        create table attempts (
            key text primary key,
            since timestamptz not null,
            many integer not null
        );
        create index attempts_since on attempts (since);
        """
    )
