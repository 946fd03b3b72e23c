"""The people of the demonstration: an office, its leaders, fifty units and twenty deputies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from sqlalchemy import Connection, insert

from services.people import tables
from services.people.passwords import HASHER
from services.people.roles import Role

OFFICE = "office"
GOVERNMENT = "government"
DEPUTIES = 20

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
# Rare characters are meant: such people exist, and their names have to survive everywhere.
_GIVEN_NAMES = (
    "建国", "丽华", "志强", "秀英", "明", "海燕", "文博", "静", "国庆", "晓峰", "䶮", "雪梅", "伟",
    "桂兰", "俊杰", "玉珍", "永𠮷", "婷", "卫东", "春花", "浩然", "思远", "红", "家栋", "雅琴",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _DemoUser:
    id: str
    name: str
    unit: str | None
    role: Role
    deputy: str | None


def create_demo_people(
    connection: Connection,
    units: Sequence[str],
    password: str,
    *,
    hasher: PasswordHasher = HASHER,
) -> None:
    """Create units ``u1``, ``u2``… with these names, and the demonstration's users.

    Users are named by role: ``registrar``, ``registrar2``, ``supervisor``, ``supervisor2``,
    ``office_director``, ``leader``, ``mayor``, ``designer``, ``designer2``, ``auditor``,
    ``admin``; ``contact.n``, ``head.n``, ``handler.n`` for the n-th unit; ``deputy.1`` to
    ``deputy.20``. The B persons are set (domain.md §2).

    Parameters
    ----------
    password : the same for all; it is hashed once, so all share a salt. Never for real people.
    """
    users = [*_office_users(), *_unit_users(len(units)), *_deputies()]
    password_hash = hasher.hash(password)
    connection.execute(insert(tables.units), list(_unit_rows(units)))
    connection.execute(
        insert(tables.users),
        [
            {
                "id": user.id,
                "name": user.name,
                "unit": user.unit,
                "password_hash": password_hash,
                "active": True,
                "deputy_user": user.deputy,
                "must_change_password": False,
            }
            for user in users
        ],
    )
    connection.execute(
        insert(tables.user_roles),
        [{"user_id": user.id, "role": str(user.role), "unit": ""} for user in users],
    )


def _unit_rows(names: Sequence[str]) -> Iterator[dict[str, object]]:
    tree: list[tuple[str, str, str | None]] = [
        (GOVERNMENT, "市人民政府", None),
        (OFFICE, "市政府督查室", GOVERNMENT),
        *((f"u{n}", name, GOVERNMENT) for n, name in enumerate(names, start=1)),
    ]
    for order, (code, name, parent) in enumerate(tree):
        yield {
            "code": code,
            "name": name,
            "short_name": name,
            "parent": parent,
            "active": True,
            "order": order,
        }


def _office_users() -> list[_DemoUser]:
    return [
        _DemoUser("registrar", "周文静", OFFICE, Role.REGISTRAR, "registrar2"),
        _DemoUser("registrar2", "吴小磊", OFFICE, Role.REGISTRAR, "registrar"),
        _DemoUser("supervisor", "郑守正", OFFICE, Role.SUPERVISOR, "supervisor2"),
        _DemoUser("supervisor2", "孙敏", OFFICE, Role.SUPERVISOR, "supervisor"),
        _DemoUser("office_director", "林致远", OFFICE, Role.OFFICE_DIRECTOR, "supervisor"),
        _DemoUser("leader", "陈立新", GOVERNMENT, Role.LEADER, "mayor"),
        _DemoUser("mayor", "高振华", GOVERNMENT, Role.LEADER, "leader"),
        _DemoUser("designer", "何思源", OFFICE, Role.DESIGNER, "designer2"),
        _DemoUser("designer2", "马一鸣", OFFICE, Role.DESIGNER, "designer"),
        _DemoUser("auditor", "严明", None, Role.AUDITOR, None),
        _DemoUser("admin", "系统管理员", None, Role.ADMIN, None),
    ]


def _unit_users(count: int) -> Iterator[_DemoUser]:
    for n in range(1, count + 1):
        contact, head, handler, unit = f"contact.{n}", f"head.{n}", f"handler.{n}", f"u{n}"
        yield _DemoUser(contact, _name(3 * n), unit, Role.UNIT_CONTACT, head)
        yield _DemoUser(head, _name(3 * n + 1), unit, Role.UNIT_HEAD, contact)
        yield _DemoUser(handler, _name(3 * n + 2), unit, Role.HANDLER, contact)


def _deputies() -> Iterator[_DemoUser]:
    for n in range(1, DEPUTIES + 1):
        yield _DemoUser(f"deputy.{n}", _name(500 + n), None, Role.DEPUTY, None)


def _name(n: int) -> str:
    # 40 surnames and 25 given names; the shift makes the 200 pairs in a row differ.
    return _SURNAMES[n % len(_SURNAMES)] + _GIVEN_NAMES[(n + n // 200) % len(_GIVEN_NAMES)]
