"""Categories, products, reservations, and what a participant keeps.

Triggers count a product's versions and tell of each change at its commit, whoever makes it: an administrator, a purchase, a
later revision, a person at the database.
"""

from __future__ import annotations

from alembic import op

from sagacity.messaging.postgres.schema import MESSAGING
from sagacity.saga.postgres.schema import PARTICIPANT
from shop.chassis.tables import bring_up_to_date

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    bring_up_to_date(op.get_bind(), MESSAGING, PARTICIPANT)
    op.execute(
        """
        create table categories (
            id bigint primary key,
            name text not null constraint categories_name unique,
            description text not null,
            version bigint not null default 1,
            created_at timestamptz not null default now()
        );
        create table products (
            id bigint primary key,
            category_id bigint constraint products_category references categories (id),
            name text not null,
            brand_name text not null,
            description text not null,
            price bigint not null check (price >= 0),
            currency text not null,
            inventory bigint not null constraint products_not_oversold check (inventory >= 0),
            version bigint not null default 1,
            created_at timestamptz not null default now(),
            changed_at timestamptz not null default clock_timestamp()
        ) with (fillfactor = 80);
        create index products_category_id on products (category_id, id);
        create index products_changed_at on products (changed_at);
        create table reservations (
            purchase_id bigint primary key,
            amount bigint not null check (amount >= 0),
            currency text not null,
            reserved_at timestamptz not null,
            released_at timestamptz
        );
        create table reservation_lines (
            purchase_id bigint not null references reservations (purchase_id),
            product_id bigint not null,
            quantity bigint not null check (quantity > 0),
            price bigint not null check (price >= 0),
            primary key (purchase_id, product_id)
        );
        create index reservation_lines_product_id on reservation_lines (product_id);

        create function product_counted() returns trigger language plpgsql as $$
        begin
            new.version := old.version + 1;
            new.changed_at := clock_timestamp();
            return new;
        end
        $$;
        create trigger counted before update on products
            for each row when (old.* is distinct from new.*) execute function product_counted();
        create function product_told() returns trigger language plpgsql as $$
        begin
            if tg_op = 'DELETE' then
                perform pg_notify('product_changes', old.id || ' ' || old.version + 1);
            else
                perform pg_notify('product_changes', new.id || ' ' || new.version);
            end if;
            return null;
        end
        $$;
        create trigger told after insert or update or delete on products for each row execute function product_told();
        """
    )
