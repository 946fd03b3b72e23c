"""What clients send and get about people: sessions, units, users, tokens."""

import marshmallow as ma
from marshmallow import fields

from api.fields import Answer, Day, Instant, Items, Part, Request, Switch, Text
from api.schemas import PageQuery, of


class SignIn(Request):
    """Login and password."""

    login = Text(required=True, shortest=1, longest=64)
    password = Text(required=True, shortest=1, longest=200)


class UserName(Answer):
    """A person by login and name."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class RoleHeld(Answer):
    """A role, and the unit it is held for."""

    role = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)


class Me(Answer):
    """Who is signed in, and what they may do."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    roles = fields.List(fields.String(), required=True)
    acting_for = fields.List(fields.Nested(UserName), required=True)
    actions = fields.List(
        fields.String(), required=True, metadata=of("what this person may do to some case at all")
    )
    unread_notices = fields.Integer(required=True)


class Session(Answer):
    """An open session."""

    user = fields.Nested(UserName, required=True)
    csrf_token = fields.String(required=True, metadata=of("goes into X-CSRF-Token on changes"))
    expires_at = Instant(required=True)
    must_change_password = fields.Boolean(required=True)


class NewPassword(Request):
    """A change of one's own password."""

    old = Text(required=True, shortest=1, longest=200)
    new = Text(required=True, shortest=1, longest=200)


class UnitOut(Answer):
    """A unit of the tree."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    short_name = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)
    active = fields.Boolean(required=True)
    merged_into = fields.String(required=True, allow_none=True)


class UnitIn(Request):
    """A new unit."""

    code = Text(required=True, shortest=1, longest=40)
    name = Text(required=True, shortest=1, longest=100)
    short_name = Text(longest=100, load_default=None, allow_none=True)
    parent = Text(longest=40, load_default=None, allow_none=True)


class UnitChange(Request):
    """What changes about a unit."""

    name = Text(shortest=1, longest=100)
    short_name = Text(longest=100, allow_none=True)
    merged_into = Text(shortest=1, longest=40)


class UserOut(Answer):
    """A user."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    roles = fields.List(fields.Nested(RoleHeld), required=True, attribute="grants")
    active = fields.Boolean(required=True)
    deputy = fields.String(required=True, allow_none=True, metadata=of("the B person"))
    absent_from = Day(required=True, allow_none=True)
    absent_until = Day(required=True, allow_none=True)


class RoleIn(Request):
    """A role, and the unit it is held for; without one, the user's own."""

    role = Text(required=True, shortest=1, longest=20)
    unit = Text(longest=40, load_default=None, allow_none=True)


class UserIn(Request):
    """A new user."""

    id = Text(required=True, shortest=1, longest=64)
    name = Text(required=True, shortest=1, longest=100)
    unit = Text(longest=40, load_default=None, allow_none=True)
    roles = Items(Part(RoleIn), load_default=list, validate=ma.validate.Length(max=50))
    deputy = Text(longest=64, load_default=None, allow_none=True)
    password = Text(
        shortest=1, longest=200, load_default=None, allow_none=True, metadata=of("for one sign-in")
    )


class UserChange(Request):
    """What changes about a user."""

    unit = Text(longest=40, allow_none=True)
    roles = Items(Part(RoleIn), validate=ma.validate.Length(max=50))
    deputy = Text(longest=64, allow_none=True)
    absent_from = Day(allow_none=True, metadata=of("`null`: present again"))
    absent_until = Day(allow_none=True, metadata=of("the last day away; `null`: open"))
    active = Switch(metadata=of("`false`: out of service; tokens and sessions end"))
    successor = Text(longest=64, metadata=of("with `active: false`: who takes over open tasks"))
    password = Text(shortest=1, longest=200, metadata=of("for one sign-in"))


class UserQuery(PageQuery):
    """Which users."""

    unit = Text(longest=40, load_default=None)
    role = Text(longest=20, load_default=None)
    active = Switch(load_default=False, metadata=of("1: only those in service"))


class TokenIn(Request):
    """What a token is for."""

    label = Text(required=True, shortest=1, longest=100)
    expires_at = Instant(load_default=None, allow_none=True)


class TokenOut(Answer):
    """A new token; this is the only time it can be read."""

    token = fields.String(required=True)
    user = fields.String(required=True)
    label = fields.String(required=True)
    expires_at = Instant(required=True, allow_none=True)


class UnitPage(Answer):
    """Units."""

    items = fields.List(fields.Nested(UnitOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class UserPage(Answer):
    """Users."""

    items = fields.List(fields.Nested(UserOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
