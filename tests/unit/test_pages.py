"""Lists in pages: every item once and in order, whatever comes or goes in between."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from engine.store.tables import Instant
from services.pages import LONGEST_PAGE, Page, each, read_page

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
table = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.String(10), primary_key=True),
    sa.Column("at", Instant, nullable=False),
)


@pytest.fixture
def connection() -> sa.Connection:
    """Give seven things, of which some are of one instant."""
    connection = sa.create_engine("sqlite://").connect()
    table.metadata.create_all(connection)
    days = (1, 2, 2, 2, 3, 4, 4)
    rows = [{"id": f"t{n}", "at": NOW.replace(day=day)} for n, day in enumerate(days)]
    connection.execute(table.insert(), rows)
    return connection


def page(
    connection: sa.Connection,
    after: tuple[str, ...] | None = None,
    limit: int = 2,
    *,
    newest_first: bool = True,
) -> Page[str]:
    return read_page(
        connection,
        sa.select(table),
        (table.c.at, table.c.id),
        each(lambda row: str(row["id"])),
        after=after,
        limit=limit,
        newest_first=newest_first,
    )


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_give_every_item_once_and_in_order(
    connection: sa.Connection, *, newest_first: bool
) -> None:
    found: list[str] = []
    after: tuple[str, ...] | None = None
    while True:
        part = page(connection, after, newest_first=newest_first)
        found += part.items
        after = part.after
        if after is None:
            break

    assert found == sorted(found, reverse=newest_first)
    assert found[0] == ("t6" if newest_first else "t0")
    assert len(found) == 7


def test_an_item_that_goes_meanwhile_hides_no_other(connection: sa.Connection) -> None:
    first = page(connection)
    connection.execute(table.delete().where(table.c.id == first.items[0]))

    assert page(connection, first.after).items == ("t4", "t3")


def test_a_page_that_ends_with_the_list_has_nowhere_to_go_on(connection: sa.Connection) -> None:
    assert page(connection, limit=7).after is None
    assert page(connection, limit=LONGEST_PAGE + 1).items == page(connection, limit=7).items


def test_a_place_of_another_list_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(ValueError, match="shorter"):
        page(connection, ("2026-03-02T01:00:00+00:00",))
