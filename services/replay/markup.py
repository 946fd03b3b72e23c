"""The little of SVG that a picture needs, written so that it is always well-formed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Attribute = str | float | int | None


def node(name: str, *inside: str, **attributes: Attribute) -> str:
    """Write an element; `inside` is markup, attributes that are `None` are left out.

    A trailing underscore of an attribute's name goes, any other becomes a hyphen.
    """
    parts = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_plain(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inside)
    return f"<{name}{parts}>{content}</{name}>" if content else f"<{name}{parts}/>"


def text(content: str) -> str:
    """Write text; signs that XML can't hold are left out."""
    return escape(without_strays(content))


def without_strays(content: str) -> str:
    """Leave out signs that XML can't hold."""
    return _NOT_XML.sub("", content)


def path(steps: Iterable[str | float]) -> str:
    """Write the steps of a path."""
    return " ".join(step if isinstance(step, str) else number(step) for step in steps)


def number(value: float) -> str:
    """Write a number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _plain(value: str | float) -> str:
    return without_strays(value) if isinstance(value, str) else number(value)
