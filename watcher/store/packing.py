"""Sets of hashes as the tables hold them, and statements that take many values as one parameter."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, FromClause, Integer, any_, bindparam, column, func, select


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


def each(name: str, postgres: bool) -> FromClause:
    """The integers in the parameter `name`, as a table with the one column `value`."""
    if postgres:
        values = func.unnest(bindparam(name, type_=ARRAY(BigInteger)))
        return values.table_valued(column("value", BigInteger)).render_derived()
    return func.json_each(bindparam(name)).table_valued(column("value", Integer))
