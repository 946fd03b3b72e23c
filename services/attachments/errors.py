"""Refusals about attachments; each says what was found."""

from engine import Invalid, NotFound


class AttachmentTooLarge(Invalid):
    """Raised when a file is longer than the limit; the rest of it was never read."""

    slug = "attachment-too-large"


class AttachmentEmpty(Invalid):
    """Raised when a file has no content."""

    slug = "attachment-empty"


class AttachmentTypeRefused(Invalid):
    """Raised when the content is of a type that isn't taken; `found` says what it looks like."""

    slug = "attachment-type-refused"


class AttachmentExecutable(Invalid):
    """Raised when the content is a program or a script, or an archive has one; `found` names it."""

    slug = "attachment-executable"


class AttachmentMacro(Invalid):
    """Raised when a document has macros, scripts or embedded objects; `found` names the part."""

    slug = "attachment-macro"


class AttachmentBomb(Invalid):
    """Raised when an archive would unpack to far more than it should; `reason` says how."""

    slug = "attachment-archive-bomb"


class AttachmentEncrypted(Invalid):
    """Raised when a file is protected by a password, so that nobody can look inside."""

    slug = "attachment-encrypted"


class AttachmentDamaged(Invalid):
    """Raised when a file can't be read as what it says it is."""

    slug = "attachment-damaged"


class AttachmentNotFound(NotFound):
    """Raised when there is no such attachment, or no case that this person sees refers to it."""

    slug = "attachment-not-found"
