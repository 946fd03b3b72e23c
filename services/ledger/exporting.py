"""Export of the ledger: one row per case, filtered as the register is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from services.cases.queries import CaseSummary
from services.deadlines.calendar import last_day
from services.ledger.columns import EXPORTED
from services.ledger.sheets import Row, write_csv, write_excel
from services.ledger.words import Label, Language


def rows_of(
    cases: Iterable[CaseSummary],
    units: Mapping[str, str],
    label: Label,
    zone: ZoneInfo,
) -> list[Row]:
    """Write each case as text cells.

    Parameters
    ----------
    units : names of units by code.
    label : gives the word for a field's value, such as ``("status", "closed")``.
    """
    made = []
    for case in cases:
        cells = _cells(case, units, label, zone)
        made.append(tuple(cells[column.field] for column in EXPORTED))
    return made


def excel(rows: list[Row], language: Language = "zh") -> bytes:
    """Make the ledger as a workbook."""
    return write_excel(_headings(language), [c.width for c in EXPORTED], rows)


def as_csv(rows: list[Row], language: Language = "zh") -> bytes:
    """Make the ledger as CSV."""
    return write_csv(_headings(language), rows)


def _headings(language: Language) -> list[str]:
    return [c.heading if language == "zh" else c.english for c in EXPORTED]


def _cells(
    case: CaseSummary, units: Mapping[str, str], label: Label, zone: ZoneInfo
) -> dict[str, str]:
    def at(instant: datetime | None) -> str:
        return "" if instant is None else _local(instant, zone)

    rounds = case.escalation
    return {
        "number": case.number,
        "case_type": label("case_type", case.case_type),
        "title": case.title,
        "status": label("status", case.status),
        "light": label("light", case.light),
        "source_kind": label("source_kind", case.source_kind),
        "source_number": case.source_number or "",
        "source_date": "" if case.source_date is None else case.source_date.isoformat(),
        "issuer": case.issuer or "",
        "urgency": label("urgency", case.urgency),
        "lead_unit": units.get(case.lead_unit or "", case.lead_unit or ""),
        "co_units": "、".join(units.get(unit, unit) for unit in case.co_units),
        "registered_at": at(case.registered_at),
        "dispatched_at": at(case.dispatched_at),
        "deadline": "" if case.deadline is None else _deadline(case.deadline, zone),
        "feedback_at": at(case.feedback_at),
        "closed_at": at(case.closed_at),
        "returns": str(case.returns),
        "extensions": str(case.extensions),
        "highest_round": str(rounds.highest_round if rounds else 0),
        "measures": str(rounds.measures if rounds else 0),
        "rating": label("rating", case.rating) if case.rating else "",
    }


def _deadline(instant: datetime, zone: ZoneInfo) -> str:
    # 00:00 is the 24:00 of the day before, and shown so (domain.md §5).
    if _is_midnight(instant, zone):
        return f"{last_day(instant, zone).isoformat()} 24:00"
    return _local(instant, zone)


def _is_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    local = instant.astimezone(zone)
    return (local.hour, local.minute, local.second) == (0, 0, 0)


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")
