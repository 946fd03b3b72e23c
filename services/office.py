"""The one place that wires the parts together."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection

from engine import Clock, Command, Engine, SystemClock
from engine.case import Lookup
from engine.definitions import load_folder
from engine.proof.algorithms import suite_of
from engine.pump import Handler
from engine.store import Transaction
from engine.store.schema import prepare_schema
from engine.store.sql import SqlStore
from services import lookups
from services.archive import tables as archive_tables
from services.archive.files import FOLDER as ARCHIVE
from services.archive.store import ArchivingStore
from services.attachments import rows as attachment_rows
from services.attachments.intake import Intake
from services.audit import tables as audit_tables
from services.cases import commands as case_commands
from services.cases import elements as case_elements
from services.cases import rows as case_rows
from services.concerns import elements as concern_elements
from services.concerns import rows as concern_rows
from services.concerns import tables as concern_tables
from services.deadlines import commands as deadline_commands
from services.deadlines import recomputing
from services.deadlines import rows as deadline_rows
from services.deadlines.calendar import Calendar
from services.deadlines.queries import calendar_revision, load_calendar, seed
from services.documents import appeals as document_appeals
from services.documents import commands as document_commands
from services.documents import rows as document_rows
from services.documents.jobs import DocumentMaker
from services.documents.store import Files, open_files
from services.erasure import commands as erasure_commands
from services.erasure import rows as erasure_rows
from services.escalation import commands as escalation_commands
from services.evidence import tables as evidence_tables
from services.inspections import elements as inspection_elements
from services.inspections import rows as inspection_rows
from services.inspections import tables as inspection_tables
from services.notices import tables as notice_tables
from services.notices.jobs import SEND_NOTICE, kind_from_element, send_notice
from services.notices.notifier import Notifier, open_notifier
from services.people import queries as people
from services.people.queries import Person
from services.permit import Permissions
from services.relations import commands as relation_commands
from services.relations import rows as relation_rows
from services.relations import tables as relation_tables
from services.relations.jobs import REGISTER_PARTS, register_parts
from services.rhythm import commands as rhythm_commands
from services.rhythm import state as rhythm_state
from services.rhythm import tables as rhythm_tables
from services.rhythm.jobs import NOTE_URGING, note_urging
from services.scoring import commands as scoring_commands
from services.scoring import faults as scoring_faults
from services.scoring import measures as scoring_measures
from services.scoring import proposals as scoring_proposals
from services.scoring import rows as scoring_rows
from services.scoring import tables as scoring_tables
from services.settings import Settings
from services.statistics import rows as statistics_rows
from services.statistics import tables as statistics_tables
from services.worktasks import elements as worktask_elements
from services.worktasks import rows as worktask_rows
from services.worktasks import tables as worktask_tables

_ROOMS = (
    archive_tables,
    attachment_rows,
    document_appeals,
    document_commands,
    document_rows,
    audit_tables,
    case_commands,
    case_elements,
    case_rows,
    concern_elements,
    concern_rows,
    concern_tables,
    deadline_commands,
    deadline_rows,
    recomputing,
    scoring_measures,
    scoring_proposals,
    erasure_commands,
    erasure_rows,
    escalation_commands,
    evidence_tables,
    inspection_elements,
    inspection_rows,
    inspection_tables,
    notice_tables,
    relation_commands,
    relation_rows,
    relation_tables,
    rhythm_commands,
    rhythm_state,
    rhythm_tables,
    scoring_commands,
    scoring_faults,
    scoring_rows,
    scoring_tables,
    statistics_rows,
    statistics_tables,
    worktask_elements,
    worktask_rows,
    worktask_tables,
)
"""Importing a room registers its commands, events, appliers and rows."""

PEOPLE_KEPT = 5000
PEOPLE_KEPT_S = 2.0
"""How long another process may still see a person's former roles."""


class PeopleCache:
    """Persons with their roles, read again after a moment or when somebody was changed here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, Person | None]] = {}

    def find(self, user: str, transaction: Transaction) -> Person | None:
        """Give a person by login."""
        now = self._clock.now()
        place = (user, now.date().isoformat())
        with self._lock:
            kept = self._kept.get(place)
        if kept is not None and monotonic() - kept[0] < PEOPLE_KEPT_S:
            return kept[1]
        connection: Connection = transaction.connection
        found = people.person(connection, user, now)
        with self._lock:
            if len(self._kept) > PEOPLE_KEPT:
                self._kept.clear()
            self._kept[place] = (monotonic(), found)
        return found

    def forget(self) -> None:
        """Forget everybody: somebody's roles, absence or unit changed."""
        with self._lock:
            self._kept.clear()


class CalendarCache:
    """The calendar, read again when a schedule was loaded."""

    def __init__(self) -> None:
        self._kept: tuple[int, Calendar] | None = None

    def get(self, connection: Connection) -> Calendar:
        """Give the calendar as it stands in this transaction."""
        revision = calendar_revision(connection)
        kept = self._kept
        if kept is None or kept[0] != revision:
            kept = self._kept = (revision, load_calendar(connection))
        return kept[1]


@dataclass(frozen=True, slots=True)
class Office:
    """Everything the doors (HTTP, command line, worker) need."""

    settings: Settings
    clock: Clock
    store: SqlStore
    engine: Engine
    people: PeopleCache
    calendar: CalendarCache
    handlers: Mapping[str, Handler]
    documents: DocumentMaker
    intake: Intake
    notifier: Notifier
    secret: str

    @property
    def files(self) -> Files:
        """Where contents of documents and attachments are kept."""
        settings = self.settings
        return open_files(settings.data, self.store, is_embedded=settings.is_embedded)

    @property
    def hash_algorithm(self) -> str:
        """What new chains of hashes are made with."""
        return suite_of(self.settings.proof_suite).hash

    def close(self) -> None:
        """Close the database connections."""
        self.store.close()


def build_office(settings: Settings, clock: Clock | None = None) -> Office:
    """Open an installation: make what is missing, wire the rooms, load the definitions.

    Raises
    ------
    InvalidDefinition : a definition in the folder can't run.
    """
    clock = clock or SystemClock()
    if settings.is_embedded:
        settings.data.mkdir(parents=True, exist_ok=True)
    store = ArchivingStore(settings.url, settings.data / ARCHIVE, pool_size=settings.pool_size)
    prepare_schema(store.engine)
    cache, calendar = PeopleCache(clock), CalendarCache()

    def bind(transaction: Transaction, _command: Command) -> Mapping[str, Lookup]:
        answers = lookups.Lookups(
            transaction,
            lambda: calendar.get(transaction.connection),
            cache.find,
            settings.zone,
        )
        return answers.functions()

    engine = Engine(
        store,
        clock,
        permit=Permissions(cache.find),
        lookups=lookups.NAMES,
        bind_lookups=bind,
        algorithm=suite_of(settings.proof_suite).hash,
    )
    with store.transaction() as transaction:
        # The counter's row is held until the end: who starts at the same time waits here.
        transaction.next_number("starts")
        seed(transaction.connection)
    notifier = open_notifier(
        store,
        settings.zone,
        find_person=cache.find,
        calendar=calendar.get,
        smtp_url=settings.smtp_url,
        mail_from=settings.mail_from,
        webhook_hosts=settings.webhook_hosts,
        public_url=settings.public_url,
    )
    handlers = {
        SEND_NOTICE: send_notice(store, engine.library, kind_from_element(store), notifier.outlet),
        REGISTER_PARTS: register_parts(engine),
        NOTE_URGING: note_urging(engine),
    }
    files = open_files(settings.data, store, is_embedded=settings.is_embedded)
    intake = Intake(store, files, limit_bytes=settings.attachment_limit_mb << 20)
    documents = DocumentMaker(
        engine, files, settings.zone, fonts_folder=settings.fonts, file_name=intake.name_of
    )
    return Office(
        settings,
        clock,
        store,
        engine,
        cache,
        calendar,
        handlers,
        documents,
        intake,
        notifier,
        _secret(settings),
    )


def deploy_folder(office: Office, by: str = "system") -> list[str]:
    """Deploy every definition of the settings' folder; unchanged ones stay as they are.

    Returns
    -------
    The keys of the definitions, in order.
    """
    root = office.settings.definitions
    keys = sorted(p.parent.name for p in root.glob("*/process.bpmn"))
    for key in keys:
        office.engine.library.deploy(load_folder(root, key), by, office.clock.now())
    return keys


def _secret(settings: Settings) -> str:
    if settings.secret_key is not None:
        return settings.secret_key
    file = settings.data / "secret.key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32), "ascii")
        # Of processes that start at the same time one is first, and all read its secret.
        with suppress(FileExistsError):
            file.hardlink_to(fresh)
        fresh.unlink()
    return file.read_text("ascii")
