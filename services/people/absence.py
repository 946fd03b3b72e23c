"""Who acts for somebody who is away: A, then B, then the head of the unit (domain.md §2, §10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A person as the rule of A and B sees them.

    `deputy` is the B person. An absence runs from 00:00 of its first day to 24:00 of its last;
    without a last day it is open.
    """

    user: str
    unit: str | None = None
    deputy: str | None = None
    is_head: bool = False
    active: bool = True
    absent_from: date | None = None
    absent_until: date | None = None

    def is_away(self, day: date) -> bool:
        """Tell whether the person can't act on a day; somebody who left the service never can."""
        if not self.active:
            return True
        if self.absent_from is None or day < self.absent_from:
            return False
        return self.absent_until is None or day <= self.absent_until


def who_may_act(assignee: Post, colleagues: Iterable[Post], day: date) -> tuple[str, ...]:
    """Name who may do what waits for a person on a day, best first (domain.md §10 case 22).

    Parameters
    ----------
    assignee : the A person.
    colleagues : at least the B person and the heads of the unit; others are ignored.

    Returns
    -------
    The A person alone while present. While away: A (who may still be reached, unless gone for
    good), then B; when B is away too or there is none, the heads of the unit who are present.
    """
    own = (assignee.user,) if assignee.active else ()
    if not assignee.is_away(day):
        return own
    present = [post for post in colleagues if not post.is_away(day)]
    deputies = [post.user for post in present if post.user == assignee.deputy]
    if deputies:
        return (*own, deputies[0])
    heads = {
        post.user
        for post in present
        if post.is_head and post.unit == assignee.unit is not None and post.user != assignee.user
    }
    return (*own, *sorted(heads))
