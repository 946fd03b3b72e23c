"""The roles of domain.md §2."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is to the office; a person may hold several."""

    REGISTRAR = "registrar"
    SUPERVISOR = "supervisor"
    OFFICE_DIRECTOR = "office_director"
    LEADER = "leader"
    UNIT_CONTACT = "unit_contact"
    UNIT_HEAD = "unit_head"
    HANDLER = "handler"
    DEPUTY = "deputy"
    DESIGNER = "designer"
    AUDITOR = "auditor"
    ADMIN = "admin"


UNIT_ROLES = frozenset({Role.UNIT_CONTACT, Role.UNIT_HEAD, Role.HANDLER})
"""Held for a unit: whoever holds one is a member of that unit and may be named its handler."""

HEAD_ROLES = frozenset({Role.UNIT_HEAD, Role.OFFICE_DIRECTOR})
"""Who steps in when A and B are both away: the head of the unit, in the office its director."""
