"""What a list of urged items is, and what it changes in other subjects."""

from dataclasses import dataclass, replace

from engine import State, applies
from services.cases.state import CaseState
from services.documents.state import DocumentsState, wanted
from services.rhythm.events import ItemsUrged, UrgedInList


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmState(State):
    """The list that a case of the office's rhythm is."""

    unit: str = ""
    rhythm: str = ""
    period: str = ""
    number: str | None = None
    items: tuple[str, ...] = ()


@applies(ItemsUrged, to=RhythmState)
def items_urged(state: RhythmState, event: ItemsUrged) -> RhythmState:
    return replace(
        state,
        unit=event.unit,
        rhythm=event.rhythm,
        period=event.period,
        number=event.number,
        items=event.items,
    )


@applies(ItemsUrged, to=CaseState)
def unit_concerned(state: CaseState, event: ItemsUrged) -> CaseState:
    return replace(state, lead_unit=event.unit)


@applies(ItemsUrged, to=DocumentsState)
def paper_wanted(state: DocumentsState, event: ItemsUrged) -> DocumentsState:
    return wanted(state, event.cause, event.at, event.unit, event.number)


@applies(UrgedInList, to=CaseState)
def urged_in_list(state: CaseState, event: UrgedInList) -> CaseState:
    return replace(state, urges=state.urges + 1)
