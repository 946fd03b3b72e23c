"""What the ledger reads: all cases that a filter leaves, and which rows were imported before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from services.cases.queries import CaseFilter, CaseSummary, Glance, cases
from services.cases.tables import register
from services.pages import LONGEST_PAGE

AT_ONCE = 500


def every_case(connection: Connection, glance: Glance, wanted: CaseFilter) -> Iterator[CaseSummary]:
    """Give the visible cases a filter leaves, the last registered first, page after page."""
    after: tuple[str, ...] | None = None
    while True:
        page = cases(connection, glance, wanted, after=after, limit=LONGEST_PAGE)
        yield from page.items
        after = page.after
        if after is None:
            return


def numbers_of(connection: Connection, case_ids: Sequence[str]) -> dict[str, str]:
    """Give the numbers of those of these cases that exist."""
    return dict(_pairs(connection, case_ids, by_number=False))


def ids_of(connection: Connection, numbers: Iterable[str]) -> Mapping[str, str]:
    """Give the ids of those of these numbers that exist."""
    return dict(_pairs(connection, sorted(set(numbers)), by_number=True))


def _pairs(
    connection: Connection, names: Sequence[str], *, by_number: bool
) -> Iterator[tuple[str, str]]:
    wanted, given = register.c.case_id, register.c.number
    if by_number:
        wanted, given = given, wanted
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        rows = connection.execute(select(wanted, given).where(wanted.in_(part)))
        yield from ((row[0], row[1]) for row in rows)
