"""A value of a raw record, as an SQL expression of a kind that says how it can be read."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Field", "Form", "form_of", "identifier", "literal", "pointer"]

Form: TypeAlias = Literal[
    "json", "text", "integer", "decimal", "double", "float", "boolean", "instant", "local", "local_ns", "date",
    "blob", "nested", "other", "micros", "absent",
]  # fmt: skip
"""How a value comes: `json` is the text of a value within a JSON document, `micros` an instant that is already counted,
`local` a timestamp without offset, `local_ns` one that counts nanoseconds, `absent` what no record has."""


class Field(msgspec.Struct, frozen=True):
    """A value of a raw record. `sql` yields it, NULL where it is absent.

    A `json` value has its place: `document` is the SQL of the JSON text, `place` the JSON pointer. A `decimal` has its
    `digits` and `scale`. `certain`: the source itself says that every record has a value, and none an empty text.
    """

    sql: str
    form: Form
    document: str = ""
    place: str = ""
    digits: int = 38
    scale: int = 0
    certain: bool = False

    @property
    def present(self) -> str:
        """SQL that is true where there is a value. Empty text is none, since text formats have no other way to say so."""
        if self.certain:
            return "TRUE"
        empty = f" AND {self.sql} <> ''" if self.form in ("json", "text") else ""
        return f"({self.sql} IS NOT NULL{empty})"


_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
    "UHUGEINT",
)
_FORMS: dict[str, Form] = {
    "VARCHAR": "text",
    **dict.fromkeys(_INTEGERS, "integer"),
    "BIGNUM": "integer",
    "DOUBLE": "double",
    "FLOAT": "float",
    "BOOLEAN": "boolean",
    "TIMESTAMP WITH TIME ZONE": "instant",
    "TIMESTAMP": "local",
    "TIMESTAMP_S": "local",
    "TIMESTAMP_MS": "local",
    "TIMESTAMP_NS": "local_ns",
    "DATE": "date",
    "BLOB": "blob",
    "JSON": "json",
    '"NULL"': "absent",
}


def form_of(sql: str, type_name: str) -> Field:
    """A column (or part of one) of a type that DuckDB names so."""
    if found := _DECIMAL.fullmatch(type_name):
        return Field(sql, "decimal", digits=int(found[1]), scale=int(found[2]))
    if type_name.startswith(("STRUCT(", "MAP(", "UNION(")) or type_name.endswith("]") or type_name == "VARIANT":
        return Field(sql, "nested")
    form = _FORMS.get(type_name, "other")
    if form == "json":
        return Field(f"json_extract_string({sql}, '')", "json", document=sql, place="")
    return Field("NULL", "absent") if form == "absent" else Field(sql, form)


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def pointer(steps: tuple[str | int, ...]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
