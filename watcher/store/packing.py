"""Sets of hashes as the tables hold them, and statements that take many values as one parameter."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Insert,
    Table,
    any_,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from watcher.store.tables import Json


def pack(hashes: Iterable[int]) -> bytes:
    """Signed 64-bit hashes in ascending order, little-endian."""
    ordered = sorted(hashes)
    return struct.pack(f"<{len(ordered)}q", *ordered)


def unpack(packed: bytes | None) -> frozenset[int]:
    """What `pack` packed; nothing where a story has expired."""
    return frozenset(struct.unpack(f"<{len(packed) // 8}q", packed)) if packed else frozenset()


def many(values: Collection[int] | Collection[str], postgres: bool) -> Any:
    """The parameter for `among` and `each`."""
    return list(values) if postgres else json.dumps(list(values))


def among(compared: ColumnElement[Any], name: str, postgres: bool) -> ColumnElement[bool]:
    """`compared` is one of the values in the parameter `name`: a statement that can be built once."""
    if postgres:
        return compared == any_(bindparam(name, type_=ARRAY(compared.type)))
    return compared.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


@cache
def filing(table: Table) -> Insert:
    """A row of `table` for each of the hashes in the parameter `hash`, its other columns the same; for PostgreSQL."""
    hashes, *others = table.columns
    values = func.unnest(bindparam(hashes.name, type_=ARRAY(BigInteger)))
    each = values.table_valued(column("value", BigInteger)).render_derived()
    rows = select(each.c.value, *(bindparam(one.name, type_=one.type) for one in others))
    return insert(table).from_select(list(table.columns), rows)


def rows_of(name: str, columns: Sequence[Column[Any]], postgres: bool) -> FromClause:
    """The mappings in the parameter `name`, as a table whose columns have the names and types of `columns`."""
    typed = [column(one.name, one.type) for one in columns]
    if postgres:
        read = func.jsonb_to_recordset(cast(bindparam(name, type_=Json), JSONB))
        return read.table_valued(*typed).render_derived(with_types=True)
    row = func.json_each(bindparam(name, type_=Json)).table_valued("value").c.value
    return select(
        *(func.json_extract(row, f"$.{one.name}", type_=one.type).label(one.name) for one in typed)
    ).subquery()
