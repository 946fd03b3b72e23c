"""Makes bulletins: a draft at any time, a numbered one when its period is over."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine import Definition, Engine
from engine.errors import DefinitionNotFound
from services.bulletins.errors import PeriodNotOver
from services.bulletins.origins import OriginOf, origins_by
from services.bulletins.periods import Period
from services.bulletins.queries import Bulletin, bulletin
from services.bulletins.wording import Names, paper_of
from services.deadlines.calendar import Calendar, last_day
from services.documents.errors import TemplateInvalid
from services.documents.jobs import DocumentMaker
from services.documents.kinds import rules_of, template_of
from services.documents.papers import Paper, facts_of_paper, issue_paper
from services.documents.queries import OfficeDocument
from services.ledger.words import labels_of
from services.people import queries as people

DRAFT = "草稿"


@dataclass(frozen=True, slots=True)
class Drafted:
    """The files of a draft."""

    docx: bytes
    pdf: bytes


class Editor:
    """Writes the bulletins of an installation."""

    def __init__(self, engine: Engine, documents: DocumentMaker, zone: ZoneInfo) -> None:
        self._engine = engine
        self._documents = documents
        self._zone = zone

    def compute(
        self, period: Period, now: datetime, calendar: Calendar, as_of: datetime | None = None
    ) -> Bulletin:
        """Compute a bulletin: as of its period's end, or of now while the period lasts.

        Parameters
        ----------
        as_of : as it stood then; an instant still to come means now.
        """
        wanted = as_of or period.until(self._zone)
        origin_of = self._origins()
        with self._engine.store.transaction(write=False) as transaction:
            return bulletin(
                transaction.connection,
                period,
                min(wanted, now),
                calendar,
                zone=self._zone,
                origin_of=origin_of,
            )

    def draft(self, found: Bulletin) -> Drafted:
        """Make the files of a bulletin without a number; the same bulletin gives the same bytes.

        Raises
        ------
        TemplateInvalid, GlyphMissing : the template can't be filled or set.
        """
        paper, definition = self._paper(found), self._definition(found.period.kind)
        rules, template = rules_of(definition), template_of(definition, paper.kind)
        if rules is None or template is None:
            raise TemplateInvalid(reason=f"no template {paper.kind}")
        day = last_day(found.as_of, self._zone)
        facts = facts_of_paper(paper, DRAFT, day, rules.office, rules.kinds[paper.kind].copies)
        title = f"{paper.title} {DRAFT}"
        return Drafted(*self._documents.draw(template, facts, title=title, at=found.as_of))

    def issue(self, found: Bulletin, *, by: str, at: datetime) -> OfficeDocument:
        """Issue a bulletin under a number; one issued before for its period stays as it is.

        Raises
        ------
        PeriodNotOver : its figures would still change.
        TemplateInvalid, GlyphMissing : the template can't be filled or set.
        """
        if at < found.period.until(self._zone):
            raise PeriodNotOver(until=found.period.last)
        return issue_paper(
            self._documents,
            self._engine.store,
            self._definition(found.period.kind),
            self._paper(found),
            by=by,
            at=at,
            zone=self._zone,
        )

    def _paper(self, found: Bulletin) -> Paper:
        with self._engine.store.transaction(write=False) as transaction:
            units = {unit.code: unit.name for unit in people.units(transaction.connection)}
        steps = self._steps()
        names = Names(
            label=labels_of(self._engine, "zh"),
            unit=lambda code: units.get(code, code),
            step=lambda element: steps.get(element, element),
        )
        return paper_of(found, names, self._documents.book, self._zone)

    def _definitions(self) -> Mapping[str, Definition]:
        with self._engine.store.transaction(write=False) as transaction:
            keys = sorted({deployment.key for deployment in transaction.deployments()})
        found = {}
        for key in keys:
            with suppress(DefinitionNotFound):
                found[key] = self._engine.library.current(key)[1]
        return found

    def _origins(self) -> OriginOf | None:
        tables = map(origins_by, self._definitions().values())
        return next((table for table in tables if table is not None), None)

    def _definition(self, kind: str) -> Definition:
        for definition in self._definitions().values():
            if template_of(definition, kind) is not None:
                return definition
        raise TemplateInvalid(reason=f"no template {kind}")

    def _steps(self) -> dict[str, str]:
        steps: dict[str, str] = {}
        for definition in self._definitions().values():
            for (_, element), known in definition.elements.items():
                if known.kind == "userTask":
                    steps.setdefault(element, known.title)
        return steps
