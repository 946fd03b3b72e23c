"""What decisions and diagrams may ask outside a case; each answer is recorded with the command."""

from collections.abc import Callable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from engine.case import Lookup
from engine.records import Json, instant_text, parse_instant
from engine.store import Transaction
from services.attachments import queries as attachments
from services.cases import queries as cases
from services.deadlines import calendar as calendars
from services.deadlines.calendar import Calendar
from services.deadlines.periods import parse_period
from services.people import queries as people
from services.permissions import Allowed, task_verdict, visible_cases
from services.permit import FindPerson
from services.relations import queries as relations
from services.scoring import queries as scoring

NAMES = frozenset(
    {
        "within",
        "after",
        "before",
        "next_report",
        "is_provisional",
        "end_of_day",
        "office_day",
        "office_year",
        "working_days_left",
        "next_number",
        "has_role",
        "is_active_unit",
        "is_user",
        "is_unit_member",
        "is_attachment",
        "is_member_of",
        "may_do_task",
        "points_of_year",
        "earlier",
        "open_children",
        "case_brief",
        "may_see_case",
        "is_below",
        "is_confirmed_part",
        "absorbed_by",
    }
)

_LONGEST_CHAIN = 20
"""How many mergers of units are followed, one into the next."""


class Lookups:
    """Answers look-ups within one transaction.

    Parameters
    ----------
    calendar : gives the calendar as it stands in this transaction; read when first needed.
    find_person : gives a person by login.
    """

    def __init__(
        self,
        transaction: Transaction,
        calendar: Callable[[], Calendar],
        find_person: FindPerson,
        zone: ZoneInfo,
    ) -> None:
        self._transaction = transaction
        self._calendar = calendar
        self._find_person = find_person
        self._zone = zone

    def functions(self) -> Mapping[str, Lookup]:
        """Give the look-ups by name."""
        return {
            "within": self.within,
            "after": self.after,
            "before": self.before,
            "next_report": self.next_report,
            "is_provisional": self.is_provisional,
            "end_of_day": self.end_of_day,
            "office_day": self.office_day,
            "office_year": self.office_year,
            "working_days_left": self.working_days_left,
            "next_number": self._transaction.next_number,
            "has_role": self.has_role,
            "is_active_unit": self.is_active_unit,
            "is_user": self.is_user,
            "is_unit_member": self.is_user,
            "is_attachment": self.is_attachment,
            "is_member_of": self.is_member_of,
            "may_do_task": self.may_do_task,
            "points_of_year": self.points_of_year,
            "earlier": self.earlier,
            "open_children": self.open_children,
            "case_brief": self.case_brief,
            "may_see_case": self.may_see_case,
            "is_below": self.is_below,
            "is_confirmed_part": self.is_confirmed_part,
            "absorbed_by": self.absorbed_by,
        }

    def within(self, start: str, period: str) -> str:
        """Give the end of a period such as "5 working days" that begins at an instant."""
        ends = calendars.within(
            parse_instant(start), parse_period(period), self._calendar(), zone=self._zone
        )
        return instant_text(ends.instant)

    def after(self, deadline: str, period: str) -> str:
        """Give the end of a period that begins when a deadline ends."""
        ends = calendars.after(
            parse_instant(deadline), parse_period(period), self._calendar(), zone=self._zone
        )
        return instant_text(ends.instant)

    def before(self, deadline: str, period: str) -> str:
        """Give the beginning of the last stretch before a deadline."""
        begins = calendars.before(
            parse_instant(deadline), parse_period(period), self._calendar(), zone=self._zone
        )
        return instant_text(begins)

    def earlier(self, deadline: str, period: str) -> str:
        """Give the internal deadline that lies a period ahead of another (domain.md §6.5)."""
        internal = calendars.earlier_deadline(
            parse_instant(deadline), parse_period(period), self._calendar(), zone=self._zone
        )
        return instant_text(internal)

    def next_report(self, since: str, rhythm: str) -> str | None:
        """Give when the next report is due in a rhythm."""
        due = calendars.next_report(parse_instant(since), rhythm, zone=self._zone)
        return None if due is None else instant_text(due)

    def is_provisional(self, deadline: str) -> bool:
        """Tell whether the schedule of the deadline's year isn't published yet."""
        last = calendars.last_day(parse_instant(deadline), self._zone)
        return self._calendar().is_provisional(last.year)

    def end_of_day(self, day: str) -> str:
        """Give 24:00 office time of a day."""
        return instant_text(calendars.end_of_day(date.fromisoformat(day), self._zone))

    def office_day(self, instant: str) -> str:
        """Give the day of an instant in office time."""
        return parse_instant(instant).astimezone(self._zone).date().isoformat()

    def office_year(self, instant: str) -> int:
        """Give the year of an instant in office time."""
        return parse_instant(instant).astimezone(self._zone).year

    def working_days_left(self, since: str, deadline: str) -> int:
        """Count the working days from an instant's day, which counts itself, to a deadline's."""
        day = parse_instant(since).astimezone(self._zone).date()
        last = calendars.last_day(parse_instant(deadline), self._zone)
        return calendars.working_days_between(day, last, self._calendar())

    def has_role(self, user: str, role: str) -> bool:
        """Tell whether a user holds a role."""
        person = self._find_person(user, self._transaction)
        return person is not None and person.holds(role)

    def is_active_unit(self, code: str) -> bool:
        """Tell whether a unit can be given work."""
        return people.is_active_unit(self._transaction.connection, code)

    def is_user(self, user: str) -> bool:
        """Tell whether a user can be given work."""
        return people.is_active_user(self._transaction.connection, user)

    def is_attachment(self, sha256: str) -> bool:
        """Tell whether a file was taken in, by its SHA-256."""
        return attachments.are_known(self._transaction.connection, (sha256,))

    def is_member_of(self, user: str, unit: str) -> bool:
        """Tell whether a user belongs to a unit, or to the one it was merged into."""
        connection, asked = self._transaction.connection, unit
        for _ in range(_LONGEST_CHAIN):
            if people.is_unit_member(connection, user, asked):
                return True
            found = people.unit(connection, asked)
            if found is None or found.merged_into is None:
                return False
            asked = found.merged_into
        return False

    def may_do_task(self, user: str, roles: str, unit: str | None) -> bool:
        """Tell whether a user could do a task for one of these roles (comma-separated)."""
        person = self._find_person(user, self._transaction)
        if person is None:
            return False
        task = _Wanted(frozenset(roles.split(",")) if roles else frozenset(), unit)
        return isinstance(task_verdict(person, task), Allowed)

    def points_of_year(self, unit: str, year: int, rule: str) -> str:
        """Sum the points a unit got by one rule in a year."""
        return scoring.points_of_year(self._transaction.connection, unit, year, rule)

    def open_children(self, case: str) -> int:
        """Count the cases below one that aren't over."""
        return relations.open_children(self._transaction.connection, case)

    def case_brief(self, case: str) -> dict[str, Json] | None:
        """Give number, status and who asked of another case."""
        return relations.case_brief(self._transaction.connection, case)

    def may_see_case(self, user: str, case: str) -> bool:
        """Tell whether a user may know of a case."""
        person = self._find_person(user, self._transaction)
        return person is not None and cases.is_visible(
            self._transaction.connection, visible_cases(person), case
        )

    def is_below(self, case: str, above: str) -> bool:
        """Tell whether a case stands below another one, or below one that does."""
        return relations.is_below(self._transaction.connection, case, above)

    def is_confirmed_part(self, parent: str, part: int) -> bool:
        """Tell whether a leader confirmed a part of a source."""
        return relations.is_confirmed_part(self._transaction.connection, parent, part)

    def absorbed_by(self, duplicate: str) -> str | None:
        """Name the case that a duplicate goes on in."""
        return relations.absorbed_by(self._transaction.connection, duplicate)


class _Wanted:
    """A task as far as a right to it goes."""

    def __init__(self, roles: frozenset[str], unit: str | None) -> None:
        self.roles = roles
        self.unit = unit
        self.assignee: str | None = None
