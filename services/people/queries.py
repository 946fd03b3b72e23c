"""Who people are, what they may do where, and for whom they act right now."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, and_, false, or_, select, true

from services.people import tables
from services.people.absence import Post, who_may_act
from services.people.roles import HEAD_ROLES

OFFICE_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks for something, with all that permissions look at.

    Parameters
    ----------
    roles : the roles held in the own unit.
    unit : the own unit; None for deputies, auditors and others outside the tree of units.
    further : roles held for another unit, as (role, unit); units that were merged into a unit of
        this person are among them.
    stands_in_for : the people this person acts for now, because they are away (domain.md §2).
    """

    id: str
    name: str
    roles: frozenset[str]
    unit: str | None = None
    active: bool = True
    further: frozenset[tuple[str, str]] = frozenset()
    stands_in_for: "tuple[Person, ...]" = field(default=())

    @property
    def acting_for(self) -> tuple[str, ...]:
        """The logins of the people this person may act for now."""
        return tuple(away.id for away in self.stands_in_for)

    def holds(self, role: str) -> bool:
        """Tell whether the person holds a role, in whichever unit."""
        return role in self.roles or any(held == role for held, _ in self.further)

    def units_as(self, role: str) -> frozenset[str]:
        """Give the units the person holds a role for."""
        own = {self.unit} if role in self.roles and self.unit is not None else set()
        return frozenset(own | {unit for held, unit in self.further if held == role})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who came with a session, and the CSRF token that belongs to it."""

    person: Person
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tree; `merged_into` names the one that took it over."""

    code: str
    name: str
    short_name: str
    parent: str | None
    active: bool
    merged_into: str | None
    order: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A role and the unit it is held for; None is the unit of the user."""

    role: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user as an administrator sees them; `deputy` is the B person."""

    id: str
    name: str
    unit: str | None
    grants: tuple[Grant, ...]
    active: bool
    deputy: str | None
    absent_from: date | None
    absent_until: date | None
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its owner sees it: never the token itself, only its hash."""

    token_hash: str
    user_id: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def person(
    connection: Connection, user_id: str, at: datetime, *, zone: ZoneInfo = OFFICE_ZONE
) -> Person | None:
    """Read a person with the roles held and the people they act for at an instant.

    Two small SELECTs, and one for merged units; more only while somebody is away. None when there
    is no such user; somebody who left comes back with `active` false.
    """
    day = at.astimezone(zone).date()
    found = connection.execute(select(tables.users).where(tables.users.c.id == user_id)).first()
    if found is None:
        return None
    grants = _grants(connection, [user_id]).get(user_id, ())
    post = _post(found, grants)
    return _as_person(connection, found, grants, _stands_in_for(connection, post, grants, day))


def person_by_token(
    connection: Connection, token: str, at: datetime, *, zone: ZoneInfo = OFFICE_ZONE
) -> Person | None:
    """Read the person a bearer token belongs to; None when it's unknown, revoked or expired.

    Only reads; `admin.note_token_use` keeps when it was used last.
    """
    found = connection.execute(
        select(tables.tokens.c.user_id, tables.tokens.c.expires_at).where(
            tables.tokens.c.token_hash == sha256(token)
        )
    ).first()
    if found is None or (found.expires_at is not None and found.expires_at <= at):
        return None
    return _if_active(person(connection, found.user_id, at, zone=zone))


def person_by_session(
    connection: Connection, session: str, at: datetime, *, zone: ZoneInfo = OFFICE_ZONE
) -> SignedIn | None:
    """Read the person a session belongs to; None when it's unknown, closed or expired."""
    found = connection.execute(
        select(tables.sessions).where(tables.sessions.c.session_hash == sha256(session))
    ).first()
    if found is None or found.expires_at <= at:
        return None
    who = _if_active(person(connection, found.user_id, at, zone=zone))
    return None if who is None else SignedIn(who, found.csrf, found.expires_at)


def stand_ins(
    connection: Connection, user_id: str, at: datetime, *, zone: ZoneInfo = OFFICE_ZONE
) -> tuple[str, ...]:
    """Name who may do what waits for a user at an instant, best first; the user is among them."""
    found = connection.execute(select(tables.users).where(tables.users.c.id == user_id)).first()
    if found is None:
        return ()
    heads = select(tables.user_roles.c.user_id).where(tables.user_roles.c.role.in_(HEAD_ROLES))
    others = or_(
        tables.users.c.id == found.deputy_user,
        and_(tables.users.c.unit == found.unit, tables.users.c.id.in_(heads)),
    )
    return who_may_act(_post(found, ()), _posts(connection, others), at.astimezone(zone).date())


def units(connection: Connection, *, active_only: bool = False) -> tuple[Unit, ...]:
    """Read the units in their order."""
    wanted = tables.units.c.active == true() if active_only else true()
    rows = connection.execute(
        select(tables.units).where(wanted).order_by(tables.units.c.order, tables.units.c.code)
    )
    return tuple(_unit(row) for row in rows)


def unit(connection: Connection, code: str) -> Unit | None:
    """Read one unit; None when there is none with this code."""
    found = connection.execute(select(tables.units).where(tables.units.c.code == code)).first()
    return None if found is None else _unit(found)


def is_active_unit(connection: Connection, code: str) -> bool:
    """Tell whether a unit can be given work."""
    found = unit(connection, code)
    return found is not None and found.active


def units_of_tree(connection: Connection, root: str) -> frozenset[str]:
    """Give a unit and all the units below it; empty when there is no such unit."""
    top = select(tables.units.c.code).where(tables.units.c.code == root).cte(recursive=True)
    below = select(tables.units.c.code).join(top, tables.units.c.parent == top.c.code)
    return frozenset(connection.execute(select(top.union(below).c.code)).scalars())


def users(
    connection: Connection,
    *,
    unit: str | None = None,
    role: str | None = None,
    ids: Collection[str] | None = None,
    active_only: bool = False,
) -> tuple[User, ...]:
    """Read users in the order of their logins; None doesn't narrow the choice."""
    wanted: list[ColumnElement[bool]] = [true()]
    if unit is not None:
        wanted.append(tables.users.c.unit == unit)
    if role is not None:
        holders = select(tables.user_roles.c.user_id).where(tables.user_roles.c.role == role)
        wanted.append(tables.users.c.id.in_(holders))
    if ids is not None:
        wanted.append(tables.users.c.id.in_(ids))
    if active_only:
        wanted.append(tables.users.c.active == true())
    rows = connection.execute(
        select(tables.users).where(and_(*wanted)).order_by(tables.users.c.id)
    ).all()
    grants = _grants(connection, [row.id for row in rows])
    return tuple(_user(row, grants.get(row.id, ())) for row in rows)


def user(connection: Connection, user_id: str) -> User | None:
    """Read one user; None when there is none with this login."""
    return next(iter(users(connection, ids=[user_id])), None)


def is_active_user(connection: Connection, user_id: str) -> bool:
    """Tell whether a user can be given work."""
    found = user(connection, user_id)
    return found is not None and found.active


def is_unit_member(connection: Connection, user_id: str, unit: str) -> bool:
    """Tell whether an active user belongs to a unit, or holds a role for it."""
    found = user(connection, user_id)
    if found is None or not found.active:
        return False
    return found.unit == unit or any(grant.unit == unit for grant in found.grants)


def holders(connection: Connection, role: str, unit: str | None = None) -> tuple[str, ...]:
    """Name the active users who hold a role, for a unit or (None) anywhere."""
    held = tables.user_roles
    at_unit: ColumnElement[bool] = true()
    if unit is not None:
        at_unit = or_(held.c.unit == unit, and_(held.c.unit == "", tables.users.c.unit == unit))
    rows = connection.execute(
        select(tables.users.c.id)
        .join(held, held.c.user_id == tables.users.c.id)
        .where(held.c.role == role, tables.users.c.active == true(), at_unit)
        .order_by(tables.users.c.id)
        .distinct()
    )
    return tuple(rows.scalars())


def tokens_of(connection: Connection, user_id: str) -> tuple[Token, ...]:
    """Read the tokens of a user, oldest first."""
    rows = connection.execute(
        select(tables.tokens)
        .where(tables.tokens.c.user_id == user_id)
        .order_by(tables.tokens.c.created_at, tables.tokens.c.token_hash)
    )
    return tuple(Token(**row._mapping) for row in rows)


def sha256(secret: str) -> str:
    """Hash a token or session as it is stored; they're random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _if_active(who: Person | None) -> Person | None:
    return who if who is not None and who.active else None


def _stands_in_for(
    connection: Connection, me: Post, grants: Iterable[Grant], day: date
) -> tuple[Person, ...]:
    table = tables.users.c
    away_now = or_(
        table.active == false(),
        and_(
            table.absent_from <= day,
            or_(table.absent_until.is_(None), table.absent_until >= day),
        ),
    )
    headed = me.is_head and me.unit is not None
    mine = or_(table.deputy_user == me.user, table.unit == me.unit if headed else false())
    away = connection.execute(
        select(tables.users).where(away_now, mine, table.id != me.user).order_by(table.id)
    ).all()
    if not away:
        return ()
    deputies = _posts(connection, table.id.in_({row.deputy_user for row in away}))
    colleagues = [me, *(post for post in deputies if post.user != me.user)]
    held = _grants(connection, [row.id for row in away])
    return tuple(
        _as_person(connection, row, held.get(row.id, ()) if row.active else (), ())
        for row in away
        if me.user in who_may_act(_post(row, ()), colleagues, day)
    )


def _as_person(
    connection: Connection,
    row: Row[tuple[object, ...]],
    grants: Collection[Grant],
    stands_in_for: tuple[Person, ...],
) -> Person:
    at = {grant: grant.unit or row.unit for grant in grants}
    merged = _merged_units(connection, {unit for unit in at.values() if unit is not None})
    further = {(grant.role, grant.unit) for grant in grants if grant.unit is not None}
    further |= {(grant.role, old) for grant, now in at.items() for old in merged.get(now, ())}
    return Person(
        id=row.id,
        name=row.name,
        roles=frozenset(grant.role for grant in grants if grant.unit is None),
        unit=row.unit,
        active=row.active,
        further=frozenset(further),
        stands_in_for=stands_in_for,
    )


def _merged_units(connection: Connection, codes: set[str]) -> Mapping[str | None, frozenset[str]]:
    """Give the units that were merged into each of these, directly or by way of others."""
    if not codes:
        return {}
    table = tables.units.c
    merged = select(table.code, table.merged_into).where(table.merged_into.is_not(None))
    into = {row.code: row.merged_into for row in connection.execute(merged)}
    found: dict[str | None, set[str]] = {code: set() for code in codes}
    for old in into:
        for later in _successors(old, into):
            found.get(later, set()).add(old)
    return {code: frozenset(olds) for code, olds in found.items()}


def _successors(code: str, into: Mapping[str, str]) -> list[str]:
    later: list[str] = []
    while code in into and into[code] not in later:
        code = into[code]
        later.append(code)
    return later


def _grants(connection: Connection, user_ids: Collection[str]) -> dict[str, tuple[Grant, ...]]:
    table = tables.user_roles
    rows = connection.execute(
        select(table)
        .where(table.c.user_id.in_(user_ids))
        .order_by(table.c.user_id, table.c.role, table.c.unit)
    )
    held: dict[str, tuple[Grant, ...]] = {}
    for row in rows:
        held[row.user_id] = (*held.get(row.user_id, ()), Grant(row.role, row.unit or None))
    return held


def _posts(connection: Connection, wanted: ColumnElement[bool]) -> list[Post]:
    rows = connection.execute(select(tables.users).where(wanted)).all()
    grants = _grants(connection, [row.id for row in rows])
    return [_post(row, grants.get(row.id, ())) for row in rows]


def _post(row: Row[tuple[object, ...]], grants: Iterable[Grant]) -> Post:
    return Post(
        user=row.id,
        unit=row.unit,
        deputy=row.deputy_user,
        is_head=any(grant.role in HEAD_ROLES and grant.unit is None for grant in grants),
        active=row.active,
        absent_from=row.absent_from,
        absent_until=row.absent_until,
    )


def _unit(row: Row[tuple[object, ...]]) -> Unit:
    return Unit(**row._mapping)


def _user(row: Row[tuple[object, ...]], grants: tuple[Grant, ...]) -> User:
    return User(
        id=row.id,
        name=row.name,
        unit=row.unit,
        grants=grants,
        active=row.active,
        deputy=row.deputy_user,
        absent_from=row.absent_from,
        absent_until=row.absent_until,
        must_change_password=row.must_change_password,
    )
