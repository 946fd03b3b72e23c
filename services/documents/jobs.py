"""The sweep that makes documents: numbered first, made outside any transaction, then recorded.

At least once: killed anywhere, the row still says what is to be done, and the number given before
stays. A document once recorded is never made again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from engine import OUTBOX, Definition, Engine, Problem
from engine.store import Store, StoreUnavailable
from services.documents import queries
from services.documents.commands import NumberDocument, RecordDocument, RecordMarkedCopies
from services.documents.embedding import embedded
from services.documents.errors import GlyphMissing, TemplateInvalid
from services.documents.facts import Writer, story_of
from services.documents.fonts import FontBook
from services.documents.kinds import rules_of, template_of
from services.documents.queries import DocumentSummary, Waiting
from services.documents.render import Facts, docx_of, marked, text_of
from services.documents.state import DocumentsState, IssuedDocument
from services.documents.store import Files
from services.documents.typeset import pdf_of, picture_of
from services.people import queries as people

LEASE = timedelta(minutes=2)
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(hours=1)
WITHDRAWN = "已撤销"


@dataclass(frozen=True, slots=True)
class Made:
    """The two files of a document, by their hashes."""

    docx_sha256: str
    pdf_sha256: str


class DocumentMaker:
    """Makes and keeps documents.

    Parameters
    ----------
    fonts_folder : an office's own fonts; `None` without any.
    file_name : gives the name of an attachment by its hash.
    """

    def __init__(
        self,
        engine: Engine,
        files: Files,
        zone: ZoneInfo,
        *,
        fonts_folder: Path | None = None,
        file_name: Callable[[str], str] = str,
    ) -> None:
        self._engine = engine
        self._store: Store = engine.store
        self.files = files
        self._zone = zone
        self._fonts_folder = fonts_folder
        self._file_name = file_name
        self._book: FontBook | None = None
        self._lock = threading.Lock()

    def sweep(self, now: datetime, limit: int = 20) -> int:
        """Do what is to be done for documents, at most `limit`; give how many there were."""
        with self._store.transaction() as transaction:
            taken = queries.claim(transaction.connection, now, limit, LEASE)
        for waiting in taken:
            self._attend(waiting, now)
        return len(taken)

    def _attend(self, waiting: Waiting, now: datetime) -> None:
        failed: str | None = None
        try:
            while (document := self._current(waiting)) is not None and document.step is not None:
                self._next(waiting, document, now)
        except StoreUnavailable:
            return  # no fault of the document: due again when the lease is over
        except Problem as refusal:
            failed = str(refusal)[:2000]
        except Exception as failure:  # the row stays open, and shows why
            failed = repr(failure)[:2000]
        wait = min(FIRST_WAIT * 2 ** min(waiting.attempts, 10), LONGEST_WAIT)
        with self._store.transaction() as transaction:
            queries.release(
                transaction.connection,
                waiting,
                failed=failed,
                not_before=None if failed is None else now + wait,
            )

    def _current(self, waiting: Waiting) -> IssuedDocument | None:
        states = self._engine.history.states(waiting.case)[2]
        found = states.get(DocumentsState)
        return found.find(waiting.document) if isinstance(found, DocumentsState) else None

    def _next(self, waiting: Waiting, document: IssuedDocument, now: datetime) -> None:
        place = f"document:{waiting.case}.{document.id}"
        command: NumberDocument | RecordDocument | RecordMarkedCopies
        match document.step:
            case "number":
                command = NumberDocument(
                    case=waiting.case,
                    by=OUTBOX,
                    at=now,
                    document=document.id,
                    unit_name=self._unit(document.unit, short=True) if document.unit else "",
                )
            case "make":
                made, template = self._make(waiting, document)
                command = RecordDocument(
                    case=waiting.case,
                    by=OUTBOX,
                    at=now,
                    document=document.id,
                    docx_sha256=made.docx_sha256,
                    pdf_sha256=made.pdf_sha256,
                    template_sha256=hashlib.sha256(template).hexdigest(),
                )
            case _:
                made = self._mark(document)
                command = RecordMarkedCopies(
                    case=waiting.case,
                    by=OUTBOX,
                    at=now,
                    document=document.id,
                    docx_sha256=made.docx_sha256,
                    pdf_sha256=made.pdf_sha256,
                )
        self._engine.execute(command, key=f"{place}:{document.step}")

    def _make(self, waiting: Waiting, document: IssuedDocument) -> tuple[Made, bytes]:
        story = story_of(self._engine.history.recorded(waiting.case), document)
        with self._store.transaction(write=False) as transaction:
            definition = self._engine.library.get(story.definition_sha256, transaction)
        template, writer = self._writer(definition, document.kind or "")
        facts = writer.facts(document, story)
        title = f"{document.name} {document.number}"
        return self.make(template, facts, title=title, at=document.wanted_at), template

    def _writer(self, definition: Definition, kind: str) -> tuple[bytes, Writer]:
        rules, template = rules_of(definition), template_of(definition, kind)
        if rules is None or template is None or kind not in rules.kinds:
            raise TemplateInvalid(reason=f"no template {kind}")
        writer = Writer(
            definition=definition,
            rules=rules,
            kind=rules.kinds[kind],
            zone=self._zone,
            unit=self._unit,
            user=self._user,
            file=self._file_name,
        )
        return template, writer

    def make(self, template: bytes, facts: Facts, *, title: str, at: datetime) -> Made:
        """Fill a template, set it, and keep both files.

        Raises
        ------
        TemplateInvalid : the template can't be filled with these facts.
        GlyphMissing : no font has some character; a box would stand in its place.
        """
        docx, pdf = self.draw(template, facts, title=title, at=at)
        return Made(self.files.keep(docx), self.files.keep(pdf))

    def draw(
        self, template: bytes, facts: Facts, *, title: str, at: datetime, mark: str | None = None
    ) -> tuple[bytes, bytes]:
        """Fill a template and set it, keeping nothing: also a designer's preview."""
        docx = docx_of(template, facts, title=title, at=at)
        missing = self.book.missing(text_of(docx))
        if missing:
            raise GlyphMissing(
                characters="".join(missing), codes=" ".join(f"U+{ord(c):04X}" for c in missing)
            )
        docx = embedded(docx, also=WITHDRAWN)
        if mark is not None:
            docx = marked(docx, mark)
        return docx, pdf_of(docx, self.book, at, mark)

    def preview(self, document: DocumentSummary, page: int, *, is_marked: bool) -> bytes | None:
        """Draw a page of a kept document as PNG; `None` past its last page."""
        kept = b"".join(self.files.read(document.docx_sha256 or ""))
        return picture_of(kept, self.book, page, WITHDRAWN if is_marked else None)

    def _mark(self, document: IssuedDocument) -> Made:
        original = b"".join(self.files.read(document.docx_sha256 or ""))
        docx = marked(original, WITHDRAWN)
        pdf = pdf_of(docx, self.book, document.withdrawn_at or document.wanted_at, WITHDRAWN)
        return Made(self.files.keep(docx), self.files.keep(pdf))

    @property
    def book(self) -> FontBook:
        """The fonts, loaded when first needed."""
        with self._lock:
            if self._book is None:
                self._book = FontBook(self._fonts_folder)
            return self._book

    def _unit(self, code: str, *, short: bool = False) -> str:
        with self._store.transaction(write=False) as transaction:
            found = people.unit(transaction.connection, code)
        if found is None:
            return code
        return found.short_name if short else found.name

    def _user(self, login: str) -> str:
        with self._store.transaction(write=False) as transaction:
            found = people.user(transaction.connection, login)
        return login if found is None else found.name
