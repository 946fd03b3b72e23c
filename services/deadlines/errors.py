"""What can be wrong with a period or a schedule."""

from engine.errors import Invalid, Refused


class PeriodNotUnderstood(Invalid):
    """Raised when a text is no period such as "15 days", "5 working days", "3 months", "P15D"."""

    slug = "period-not-understood"


class RhythmUnknown(Invalid):
    """Raised when reports are asked for in a rhythm that nobody keeps."""

    slug = "rhythm-unknown"


class ScheduleInvalid(Invalid):
    """Raised when the schedule of a year names days that can't belong to it."""

    slug = "schedule-invalid"


class DeadlinePassed(Refused):
    """Raised when something had to be asked for before the deadline and wasn't."""

    slug = "deadline-passed"


class ExtensionPending(Refused):
    """Raised when an extension is asked for while another request is undecided."""

    slug = "extension-pending"


class NoDeadline(Refused):
    """Raised when an extension is asked for before the case has a deadline."""

    slug = "no-deadline"
