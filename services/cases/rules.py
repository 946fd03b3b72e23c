"""Rules of cases that decisions of several rooms share."""

from datetime import datetime

from engine import Case
from engine.records import instant_text


def reminder_number(case: Case, at: datetime) -> str:
    """Give the next number of a reminder; those by hand and by rule are one series a year."""
    year = case.ask("office_year", instant_text(at))
    number = case.ask("next_number", f"urge:{year}")
    return f"督〔{year}〕催办-{number:04d}"
