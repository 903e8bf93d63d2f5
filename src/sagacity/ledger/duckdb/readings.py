"""Reading a raw value as text, integer, decimal, boolean or instant: exactly, or not at all.

Every reading is SQL that yields NULL both where the value is absent and where it does not read; which of the two it was
is told by `Field.present`. The rules, which `docs/sources.md` gives for users:

- Decimals. What has more digits than the type does not read. A binary float stands for the shortest decimal that it
  would print as, and so does a number in JSON that has more digits after the point than the type, where the excess is
  no more than a float's noise (0.10000000000000001 is 0.1). DuckDB's JSON functions read such numbers as floats; where
  a float could not hold what is written, the text of the document is read instead.
- Instants are microseconds since 1970 UTC; finer digits are cut off, towards the past.
"""

from __future__ import annotations

import duckdb

from sagacity.ledger.duckdb.fields import Field, literal

__all__ = ["EARLIEST", "LATEST", "define", "read_boolean", "read_decimal", "read_instant", "read_integer", "read_text"]

EARLIEST = -2_208_988_800_000_000
LATEST = 7_289_654_400_000_000
"""Instants from 1900-01-01 up to, but not including, 2201-01-01 are taken; what lies outside is a mistake somewhere."""

_FLOAT_DIGITS = 15
"""As many decimal digits survive a double and back, whatever they are."""

_SECOND = r"[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
_WITH_OFFSET = rf"\d{{4}}-\d\d-\d\d{_SECOND}(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)"
_WITHOUT = rf"\d{{4}}-\d\d-\d\d({_SECOND})?"
_EPOCH = r"-?\d{10}(\.\d+)?|\d{13}(\.\d+)?|\d{16}|\d{19}"
_NUMBER = r'("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*)'

_MACROS = (
    # Every number of a document put in quotes, so that it is read as it stands. What is matched first is strings, so
    # that digits within them stay; the marks \x01 and \x02 cannot occur raw in JSON.
    f"""read_exact(document, place) AS json_extract_string(
        replace(replace(replace(regexp_replace(document, '{_NUMBER}', '\\1' || chr(1) || '\\2' || chr(2), 'g'),
            chr(1) || chr(2), ''), chr(1), '"'), chr(2), '"'), place)""",
    """read_whole(d) AS TRY_CAST(floor(d) AS HUGEINT)""",
    """read_thousandth(n) AS (n - ((n % 1000) + 1000) % 1000) // 1000""",
    """read_epoch(d) AS TRY_CAST(CASE
        WHEN abs(d) < 100000000000 THEN read_whole(d * 1000000)
        WHEN abs(d) < 100000000000000 THEN read_whole(d * 1000)
        WHEN abs(d) < 100000000000000000 THEN read_whole(d)
        ELSE read_thousandth(read_whole(d)) END AS BIGINT)""",
    """read_tidy(x) AS replace(replace(replace(replace(replace(upper(trim(x)), ',', '.'),
        ' UTC', 'Z'), ' Z', 'Z'), ' +', '+'), ' -', '-')""",
    """read_local(t, zone) AS CASE WHEN zone IN ('UTC', 'Etc/UTC') THEN epoch_us(t)
        WHEN zone IS NOT NULL THEN epoch_us(TRY(timezone(zone, t))) END""",
    # In unusual ways. A list of one stands for a name given to what is looked at several times: macros are put in word by
    # word, and planning takes longer than a small file with each word.
    f"""read_unusual(x, zone, number) AS list_transform(
        [{{'d': coalesce(number, CASE WHEN regexp_full_match(x, '{_EPOCH}') THEN TRY_CAST(x AS DECIMAL(38,9)) END),
            'tidy': CASE WHEN TRY_CAST(x AS DOUBLE) IS NULL THEN read_tidy(x) END}}],
        lambda s: CASE WHEN s.d IS NOT NULL THEN read_epoch(s.d)
        WHEN regexp_full_match(s.tidy, '{_WITH_OFFSET}') THEN epoch_us(TRY_CAST(s.tidy AS TIMESTAMPTZ))
        WHEN regexp_full_match(s.tidy, '{_WITHOUT}') THEN read_local(TRY_CAST(s.tidy AS TIMESTAMP), zone) END)[1]""",
    f"""read_stated(x, zone, number) AS CASE
        WHEN contains(x, '+') AND regexp_full_match(x, '{_WITH_OFFSET}') THEN epoch_us(TRY_CAST(x AS TIMESTAMPTZ))
        WHEN regexp_full_match(x, '{_WITHOUT}') THEN read_local(TRY_CAST(x AS TIMESTAMP), zone)
        ELSE read_unusual(x, zone, number) END""",
    # The two usual ways of writing come first, told by cheap signs. A cast to TIMESTAMP passes over offsets, so it serves
    # only where there is none, or none but Z.
    """read_instant(x, zone, number) AS coalesce(CASE
        WHEN ends_with(x, 'Z') AND NOT contains(x, ' ') THEN epoch_us(TRY_CAST(x AS TIMESTAMP))
        WHEN x LIKE '____-__-__ __:__:__%' AND NOT x LIKE '%-%-%-%' AND NOT x LIKE '%:%:% %'
            AND NOT contains(x, '+') AND NOT contains(x, 'Z') THEN read_local(TRY_CAST(x AS TIMESTAMP), zone) END,
        CASE WHEN x IS NOT NULL THEN read_stated(x, zone, number) END)""",
)


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the macros that readings use."""
    for macro in _MACROS:
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")


def read_text(field: Field) -> str:
    """Text. A number is written as plainly as it can be, so that 123, "123" and 123.0 are one key."""
    sql = field.sql
    match field.form:
        case "json":
            whole = f"ends_with({sql}, '.0') AND json_type({field.document}, {literal(field.place)}) = 'DOUBLE'"
            return f"CASE WHEN {whole} THEN left({sql}, -2) ELSE NULLIF({sql}, '') END"
        case "text":
            return sql if field.certain else f"NULLIF({sql}, '')"
        case "double" | "float":
            whole = f"{sql} = trunc({sql}) AND abs({sql}) < 9007199254740992"
            return f"CASE WHEN {whole} THEN CAST(TRY_CAST({sql} AS BIGINT) AS VARCHAR) ELSE CAST({sql} AS VARCHAR) END"
        case "decimal" if field.scale:
            return f"rtrim(rtrim(CAST({sql} AS VARCHAR), '0'), '.')"
        case "instant" | "local" | "local_ns":
            stamp = f"TRY_CAST({sql} AS TIMESTAMP)" if field.form != "instant" else f"make_timestamp(epoch_us({sql}))"
            mark = "Z" if field.form == "instant" else ""
            return f"strftime({stamp}, '%Y-%m-%dT%H:%M:%S.%f{mark}')"
        case "micros":
            return f"strftime(make_timestamp({sql}), '%Y-%m-%dT%H:%M:%S.%fZ')"
        case "blob":
            return f"NULLIF(TRY(decode({sql})), '')"
        case "nested":
            return f"CAST(to_json({sql}) AS VARCHAR)"
        case "absent":
            return "CAST(NULL AS VARCHAR)"
    return f"CAST({sql} AS VARCHAR)"


def read_decimal(field: Field, digits: int, scale: int) -> str:
    """An exact decimal."""
    sql, target = field.sql, f"DECIMAL({digits},{scale})"
    cast = f"TRY_CAST({sql} AS {target})"
    match field.form:
        case "integer":
            return cast
        case "decimal" if field.scale <= scale:
            return f"CAST({sql} AS {target})" if field.digits - field.scale <= digits - scale else cast
        case "decimal":
            return f"CASE WHEN {cast} = {sql} THEN {cast} END"
        case "double":
            least = f"(abs({sql}) < {2**52} / {10**scale}::DOUBLE AND CAST({cast} AS DOUBLE) = {sql})"
            slow = _decimal_text(f"CAST({sql} AS VARCHAR)", target, scale)
            return f"CASE WHEN {least} THEN {cast} WHEN {sql} IS NOT NULL THEN {slow} END"
        case "float":
            return _decimal_text(f"CAST({sql} AS VARCHAR)", target, scale)
        case "json":
            exact = f"read_exact({field.document}, {literal(field.place)})"
            plain = f"regexp_full_match({sql}, {literal(_plain_number(scale))})"
            slow = f"list_transform([{exact}], lambda exact: {_decimal_text('exact', target, scale)})[1]"
            return f"CASE WHEN {plain} THEN {cast} WHEN {sql} IS NOT NULL THEN {slow} END"
        case "text":
            return _decimal_text(sql, target, scale)
    return f"CAST(NULL AS {target})"


def read_integer(field: Field) -> str:
    """A 64-bit integer. A number with a fraction of zero is one."""
    match field.form:
        case "integer":
            return f"TRY_CAST({field.sql} AS BIGINT)"
        case "json" | "text":
            plain = f"regexp_full_match({field.sql}, '-?[0-9]{{1,18}}')"
            slow = f"TRY_CAST({read_decimal(field, 38, 0)} AS BIGINT)"
            return f"CASE WHEN {plain} THEN TRY_CAST({field.sql} AS BIGINT) WHEN {field.sql} IS NOT NULL THEN {slow} END"
    return f"TRY_CAST({read_decimal(field, 38, 0)} AS BIGINT)"


def read_boolean(field: Field) -> str:
    """True and false, yes and no, 1 and 0, in any case of letters."""
    sql = field.sql
    match field.form:
        case "boolean":
            return sql
        case "integer" | "decimal" | "double" | "float":
            return f"CASE {sql} WHEN 1 THEN TRUE WHEN 0 THEN FALSE END"
        case "json" | "text":
            yes, no = "'true', 't', 'yes', 'y', '1'", "'false', 'f', 'no', 'n', '0'"
            return f"CASE WHEN lower(trim({sql})) IN ({yes}) THEN TRUE WHEN lower(trim({sql})) IN ({no}) THEN FALSE END"
    return "CAST(NULL AS BOOLEAN)"


def read_instant(field: Field, zone: str | None) -> str:
    """An instant in microseconds. `zone` is that of times without an offset; without one these do not read."""
    sql, place = field.sql, "NULL" if zone is None else literal(zone)
    match field.form:
        case "json":
            kind = f"json_type({field.document}, {literal(field.place)})"
            exact = f"TRY_CAST(read_exact({field.document}, {literal(field.place)}) AS DECIMAL(38,9))"
            number = f"CASE WHEN {kind} IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN {exact} END"
            return f"read_instant({sql}, {place}, {number})"
        case "text":
            return f"read_instant({sql}, {place}, NULL)"
        case "micros":
            return sql
        case "instant":
            return f"epoch_us({sql})"
        case "local" | "date":
            return _local(f"TRY_CAST({sql} AS TIMESTAMP)", zone)
        case "local_ns":
            return _local(f"make_timestamp(read_thousandth(epoch_ns({sql})))", zone)
        case "integer" | "decimal" | "double" | "float":
            return f"read_epoch(TRY_CAST({sql} AS DECIMAL(38,9)))"
    return "CAST(NULL AS BIGINT)"


def _local(timestamp: str, zone: str | None) -> str:
    if zone is None:
        return "CAST(NULL AS BIGINT)"
    return (
        f"epoch_us({timestamp})" if zone in ("UTC", "Etc/UTC") else f"epoch_us(TRY(timezone({literal(zone)}, {timestamp})))"
    )


def _plain_number(scale: int) -> str:
    """What JSON numbers look like that a float keeps at this scale: whole numbers (never floats), and few digits."""
    before = _FLOAT_DIGITS - scale
    point = rf"|[0-9]{{1,{before}}}\.{f'[0-9]{{1,{scale}}}' if scale else '0'}" if before > 0 else ""
    return f"-?([0-9]{{1,38}}{point})"


def _decimal_text(sql: str, target: str, scale: int) -> str:
    """A decimal from its text, with or without exponent; NULL where it has more digits after the point."""
    fraction = f"(\\.[0-9]{{0,{scale}}}0*)?" if scale else "(\\.0*)?"
    bare = f"|\\.[0-9]{{1,{scale}}}0*" if scale else ""
    shown = f"trim({sql})"
    return f"""CASE
        WHEN regexp_full_match({shown}, '[+-]?([0-9]+{fraction}{bare})') THEN TRY_CAST({shown} AS {target})
        WHEN regexp_full_match({shown}, '[+-]?[0-9]+(\\.[0-9]*)?[eE][+-]?[0-9]{{1,3}}')
            AND length(regexp_extract({shown}, '\\.([0-9]*?)0*[eE]', 1))
                - TRY_CAST(regexp_extract({shown}, '[eE]\\+?(-?[0-9]+)', 1) AS INTEGER) <= {scale}
            THEN TRY_CAST({shown} AS {target}) END"""
