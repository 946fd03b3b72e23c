"""Refusals about documents."""

from engine import Invalid, NotFound, Refused


class TemplateInvalid(Invalid):
    """Raised when a document template can't be filled; `reason` says what is wrong with it."""

    slug = "template-invalid"


class GlyphMissing(Refused):
    """Raised when no font at hand has some characters of a document."""

    slug = "glyph-missing"


class DocumentNotFound(NotFound):
    """Raised when there is no such document, or not for this person's eyes."""

    slug = "document-not-found"


class DocumentNotReady(Refused):
    """Raised when a document is wanted but its file isn't made yet."""

    slug = "document-not-ready"


class DocumentWithdrawnAlready(Refused):
    """Raised when a document is to be withdrawn a second time."""

    slug = "document-withdrawn-already"
