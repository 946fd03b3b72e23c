"""What happens to the personal data of a case that is over."""

from dataclasses import dataclass
from datetime import datetime

from engine import Event, event


@event("erasure_proposed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureProposed(Event):
    """Somebody asked for the case's personal data to be erased; `ground` is an item of the law."""

    ground: str
    reason: str
    by: str
    at: datetime


@event("erasure_declined", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureDeclined(Event):
    """The personal data are kept."""

    reason: str
    by: str
    at: datetime


@event("personal_data_erased", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataErased(Event):
    """The erasure was confirmed: from here on nobody reads the case's personal data.

    The key, the documents and the attachments are destroyed right after it is on record.
    """

    ground: str
    reason: str
    proposed_by: str
    by: str
    at: datetime
