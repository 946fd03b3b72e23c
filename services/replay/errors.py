"""Refusals of replay."""

from engine import NotFound


class NoDiagram(NotFound):
    """Raised when a case never was in this process, or its file holds no picture of it."""

    slug = "no-diagram"


class NothingThen(NotFound):
    """Raised when a case hadn't begun at the instant asked for."""

    slug = "nothing-then"
