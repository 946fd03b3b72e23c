"""Lists in pages: one shape for every list that is read part by part.

A page begins after a *place*: the values, in the last item shown, of the columns that the list is
ordered by. Items that come or go meanwhile shift nothing, as they would with page numbers.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, tuple_

from engine.store.tables import Instant

LONGEST_PAGE = 200

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Part of a list; `after` is the place to continue from, `None` at the end."""

    items: tuple[ItemT, ...]
    after: tuple[str, ...] | None = None


def read_page(
    connection: Connection,
    statement: Select[Any],
    order: Sequence[ColumnElement[Any]],
    items_of: Callable[[Sequence[RowMapping]], Iterable[ItemT]],
    *,
    after: tuple[str, ...] | None,
    limit: int,
    newest_first: bool = True,
) -> Page[ItemT]:
    """Read one page of a list.

    Parameters
    ----------
    statement : selects the whole list, the columns of `order` among what it selects.
    order : what the list is ordered by, the last column different in every row.
    items_of : makes the items of the rows of the page.
    after : the place that the page before ended at, `None` for the first page.
    limit : how many items at most, up to `LONGEST_PAGE`.
    newest_first : whether the list is ordered downwards.

    Raises
    ------
    ValueError : `after` is no place of this list.
    """
    limit = min(limit, LONGEST_PAGE)
    if after is not None:
        place = tuple(_value(column, text) for column, text in zip(order, after, strict=True))
        here = tuple_(*order)
        statement = statement.where(here < place if newest_first else here > place)
    ordered = statement.order_by(*(c.desc() for c in order) if newest_first else order)
    rows = connection.execute(ordered.limit(limit + 1)).mappings().all()
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        tuple(items_of(shown)),
        tuple(_text(shown[-1][column]) for column in order) if more else None,
    )


def each(item_of: Callable[[RowMapping], ItemT]) -> Callable[[Sequence[RowMapping]], list[ItemT]]:
    """Make the items of a page one by one."""
    return lambda rows: [item_of(row) for row in rows]


def _value(column: ColumnElement[Any], text: str) -> object:
    return datetime.fromisoformat(text) if isinstance(column.type, Instant) else text


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
