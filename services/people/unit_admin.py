"""Change the tree of units: plain writes in the caller's transaction, each refused as a whole.

Who may call these is decided before, by the permission to manage units.
"""

from sqlalchemy import Connection, delete, insert, select, update

from engine.errors import FieldError
from services.people import queries, tables
from services.people.checks import wrong_code, wrong_name
from services.people.errors import InvalidUnit, UnitExists, UnitNotActive, UnitNotFound
from services.people.queries import Unit


def create_unit(
    connection: Connection,
    code: str,
    name: str,
    *,
    short_name: str | None = None,
    parent: str | None = None,
    order: int = 0,
) -> None:
    """Create a unit.

    Parameters
    ----------
    short_name : None takes the name.
    parent : the code of the unit above; None for the top.

    Raises
    ------
    UnitExists
        When the code is taken.
    InvalidUnit
        With what is wrong at which field.
    """
    if queries.unit(connection, code) is not None:
        raise UnitExists(unit=code)
    wrong = wrong_code(code) + wrong_name(name)
    if parent is not None and not queries.is_active_unit(connection, parent):
        wrong.append(FieldError("parent", "not-an-active-unit"))
    if wrong:
        raise InvalidUnit(wrong, unit=code)
    connection.execute(
        insert(tables.units).values(
            code=code,
            name=name.strip(),
            short_name=(short_name or name).strip(),
            parent=parent,
            active=True,
            order=order,
        )
    )


def rename_unit(
    connection: Connection, code: str, name: str, *, short_name: str | None = None
) -> None:
    """Give a unit another name from now on; what is on the record keeps the old one.

    Raises
    ------
    UnitNotFound, InvalidUnit
    """
    _unit(connection, code)
    wrong = wrong_code(code) + wrong_name(name)
    if wrong:
        raise InvalidUnit(wrong, unit=code)
    connection.execute(
        update(tables.units)
        .where(tables.units.c.code == code)
        .values(name=name.strip(), short_name=(short_name or name).strip())
    )


def merge_unit(connection: Connection, code: str, into: str) -> None:
    """Merge a unit into another: its people, roles and sub-units move (domain.md §10 case 9).

    The people of the other unit may see the cases of the old one. Its open tasks have to be moved
    by the caller, case by case.

    Raises
    ------
    UnitNotFound
        When there is no such unit.
    UnitNotActive
        When one of the two is gone already.
    InvalidUnit
        When a unit would be merged into itself or into one below it.
    """
    for each in (_unit(connection, code), _unit(connection, into)):
        if not each.active:
            raise UnitNotActive(unit=each.code)
    if into in queries.units_of_tree(connection, code):
        raise InvalidUnit([FieldError("into", "below-itself")], unit=code)
    unit, user, role = tables.units, tables.users, tables.user_roles
    connection.execute(
        update(unit).where(unit.c.code == code).values(active=False, merged_into=into)
    )
    connection.execute(update(unit).where(unit.c.parent == code).values(parent=into))
    connection.execute(update(user).where(user.c.unit == code).values(unit=into))
    moved = connection.execute(select(role).where(role.c.unit == code)).all()
    connection.execute(delete(role).where(role.c.unit == code))
    for row in moved:
        held = connection.execute(
            select(role.c.unit).where(
                role.c.user_id == row.user_id, role.c.role == row.role, role.c.unit == into
            )
        ).first()
        if held is None:
            connection.execute(insert(role).values(user_id=row.user_id, role=row.role, unit=into))


def _unit(connection: Connection, code: str) -> Unit:
    found = queries.unit(connection, code)
    if found is None:
        raise UnitNotFound(unit=code)
    return found
