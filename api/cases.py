"""Cases: register one, find them, see one, and ask something of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.answers import (
    Answered,
    etag,
    listed,
    read_lookups,
    receipt_of,
    registered,
    states_of,
)
from api.context import (
    actor,
    glance,
    idempotency_key,
    if_match,
    new_case_id,
    now,
    office,
    person,
    read_cursor,
    reading,
)
from api.openapi import KEY_PARAMETER, MATCH_PARAMETER, Noun
from api.schemas import CaseIn, CaseOut, CasePage, CaseQuery, CommandForms, CommandIn, ReceiptOut
from engine import CaseId, Definition, FieldError, Invalid, ProcessState, States
from engine.errors import CaseNotFound, DefinitionNotFound
from engine.records import Json
from services.asks import ASKS, FORMS, ask, carry_out
from services.cases import queries
from services.cases.commands import RegisterCase
from services.cases.queries import CaseFilter, CaseSummary
from services.cases.state import CaseState
from services.permissions import Allowed, may
from services.permit import RIGHT_OF, asking_facts, facts_of_states
from services.tasks.queries import Form, filled_form

cases = Noun("cases", __name__, "Supervised cases: the register, and what is asked of a case.")

_WHILE_SUSPENDED = frozenset({"resume", "cancel"})


@cases.route("/cases", methods=["POST"])
@cases.doc(parameters=[KEY_PARAMETER])
@cases.arguments(CaseIn)
@cases.response(201, CaseOut)
def register(body: dict[str, Json]) -> tuple[CaseSummary, dict[str, str]]:
    """Register a case."""
    definition = body.pop("type")
    ask = RegisterCase(case=new_case_id(), by=actor(), at=now(), definition=definition, data=body)
    try:
        receipt = office().engine.execute(ask, key=idempotency_key())
    except DefinitionNotFound:
        raise Invalid([FieldError("type", "unknown_type")]) from None
    return registered(receipt)


@cases.route("/cases", methods=["GET"])
@cases.arguments(CaseQuery, location="query")
@cases.response(200, CasePage)
def show_register(query: dict[str, Any]) -> dict[str, Any]:
    """List the cases you may see, the last registered first."""
    after = read_cursor(query["cursor"], 2)
    with reading() as transaction:
        page = queries.cases(
            transaction.connection,
            glance(transaction),
            filter_of(query),
            after=after,
            limit=query["limit"],
        )
    return listed(page)


def filter_of(query: dict[str, Any]) -> CaseFilter:
    """Give what a list of cases is narrowed to."""
    return CaseFilter(
        case_type=query["type"],
        status=query["status"],
        unit=query["unit"],
        light=query["light"],
        text=query["q"],
        due_before=query["due_before"],
        due_after=query["due_after"],
        parent=query["parent"],
    )


@cases.route("/cases/<ident:case>", methods=["GET"])
@cases.response(200, CaseOut)
def show(case: str) -> tuple[CaseSummary, dict[str, str]]:
    """Show a case."""
    summary = visible_case(case)
    return summary, etag(summary.seq)


@cases.route("/cases/<ident:case>/commands", methods=["POST"])
@cases.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@cases.arguments(CommandIn)
@cases.response(200, ReceiptOut)
def command(body: dict[str, Json], case: str) -> tuple[Answered, dict[str, str]]:
    """Ask something of a case as a whole: urge, extend, suspend and more."""
    asked = ask(body["name"], CaseId(case), actor().user, now(), body["data"])
    done = carry_out(office().engine, asked, key=idempotency_key(), expect=if_match())
    return receipt_of(done)


@cases.route("/cases/<ident:case>/commands", methods=["GET"])
@cases.response(200, CommandForms)
def show_commands(case: str) -> dict[str, Any]:
    """List what you may ask of a case now, each with its form."""
    summary = visible_case(case)
    states = states_of(case)
    with reading() as transaction:
        definition = office().engine.library.get(summary.definition.sha256, transaction)
        functions = read_lookups(transaction)
        process = states[ProcessState]
        variables = process.variables() if isinstance(process, ProcessState) else {}
        items = [
            CommandForm(
                name, filled_form(definition.form(form), variables, functions, now())
            ).as_answer()
            for name, form in _open_commands(summary, states, definition)
        ]
    return {"items": items}


@dataclass(frozen=True, slots=True)
class CommandForm:
    """A command with its form."""

    name: str
    form: Form

    def as_answer(self) -> dict[str, Json]:
        """Give it as clients get it."""
        shown = {"schema": self.form.schema, "ui": self.form.ui}
        return {"name": self.name, "form": shown, "data": self.form.data}


def visible_case(case: str) -> CaseSummary:
    """Read a case.

    Raises
    ------
    CaseNotFound : there is none, or it isn't for this person's eyes.
    """
    with reading() as transaction:
        found = queries.case(transaction.connection, glance(transaction), case)
    if found is None:
        raise CaseNotFound(case=case)
    return found


def _open_commands(
    summary: CaseSummary, states: States, definition: Definition
) -> Iterator[tuple[str, str]]:
    case, process = states[CaseState], states[ProcessState]
    if not isinstance(case, CaseState) or not isinstance(process, ProcessState):
        return
    if process.is_over:
        return
    facts = facts_of_states(case, process)
    for name, kind in ASKS.items():
        form = FORMS.get(name, name)
        fits = (name in _WHILE_SUSPENDED) if summary.status == "suspended" else name != "resume"
        verdict = may(person(), RIGHT_OF[kind], asking_facts(facts, case, kind))
        if fits and isinstance(verdict, Allowed) and definition.has_form(form):
            yield name, form
