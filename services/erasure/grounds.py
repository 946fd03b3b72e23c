"""Why personal data must go: the grounds of art. 47 of the Personal Information Protection Law."""

from enum import StrEnum


class Ground(StrEnum):
    """个人信息保护法第四十七条第一款, item by item."""

    PURPOSE_ACHIEVED = "purpose_achieved"
    RETENTION_OVER = "retention_over"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    UNLAWFUL = "unlawful"
    OTHER_LAW = "other_law"
