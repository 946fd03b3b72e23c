"""Every sentence a person may read: ``messages/zh.toml`` and ``en.toml``, and facts put into them.

Instants are shown in office time; 00:00 is shown as 24:00 of the day before (domain.md §5).
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal
from zoneinfo import ZoneInfo

from engine import FieldError
from engine.records import Json

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = ("zh", "en")
"""The first is spoken to whoever asks for none of them."""

_FOLDER = Path(__file__).parent / "messages"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_COMMA: dict[Language, str] = {"zh": "、", "en": ", "}
_LONGEST_FACT = 200


@dataclass(frozen=True, slots=True)
class Sentence:
    """A problem in words: its title never changes, its detail names the facts."""

    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a sentence is written for: their language, the office's zone, and the year it is."""

    language: Language
    zone: ZoneInfo
    year: int

    def problem(self, slug: str, facts: Mapping[str, Json]) -> Sentence:
        """Put a problem into words; one without words of its own is just a problem."""
        problems = texts(self.language)["problem"]
        words = problems.get(slug) or problems["problem"]
        full: str | None = words.get("detail_in_full")
        knows_all = full is not None and facts_in(full) <= facts.keys()
        detail = full if full is not None and knows_all else words["detail"]
        return Sentence(words["title"], self._filled(detail, facts))

    def field(self, error: FieldError) -> str:
        """Say what is wrong with a field."""
        fields = texts(self.language)["field"]
        said = fields.get(error.code) or fields["invalid"]
        if not isinstance(said, str):
            said = next(one for one in said if facts_in(one) <= error.facts.keys())
        return self._filled(said, error.facts)

    def console(self, name: str, **facts: Json) -> str:
        """Say something on the command line."""
        return self._filled(texts(self.language)["console"][name], facts)

    def instant(self, instant: datetime) -> str:
        """Show an instant in office time: ``11月24日24:00``, ``24 November, 24:00``."""
        local = instant.astimezone(self.zone)
        clock = f"{local:%H:%M}"
        if local.time() == time():
            local, clock = local - timedelta(days=1), "24:00"
        joint = "" if self.language == "zh" else ", "
        return f"{self.day(local.date())}{joint}{clock}"

    def day(self, day: date) -> str:
        """Show a day; its year only when it isn't this year."""
        other = day.year != self.year
        if self.language == "zh":
            return f"{f'{day.year}年' if other else ''}{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if other else ''}"

    def _filled(self, sentence: str, facts: Mapping[str, Json]) -> str:
        shown = {name: self._shown(name, value) for name, value in facts.items()}
        return sentence.format_map(_Facts(shown))

    def _shown(self, name: str, value: Json) -> str:
        if isinstance(value, datetime):
            return self.instant(value)
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, str):
            return self._shown_text(name, value)
        if isinstance(value, Sequence):
            return _COMMA[self.language].join(self._shown(name, item) for item in value)
        return str(value)[:_LONGEST_FACT]

    def _shown_text(self, name: str, value: str) -> str:
        word = texts(self.language)["word"].get(name, {}).get(value)
        if word is not None:
            return str(word)
        # What looks like one needn't be a day: a fact may be what somebody typed.
        with suppress(ValueError, OverflowError):
            if _INSTANT.fullmatch(value):
                return self.instant(datetime.fromisoformat(value))
            if _DAY.fullmatch(value):
                return self.day(date.fromisoformat(value))
        return value[:_LONGEST_FACT]


class _Facts(dict[str, str]):
    """Facts of a sentence; one that isn't there leaves a gap that can be seen."""

    def __missing__(self, name: str) -> str:
        return "…"


@cache
def texts(language: Language) -> dict[str, dict[str, Any]]:
    """Read a language's sentences: ``problem``, ``field``, ``word``, ``console``."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))


def facts_in(sentence: str) -> set[str]:
    """Name the facts that a sentence has places for."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def choose(best: Callable[[Sequence[str]], str | None]) -> Language:
    """Choose a language by what the reader would like best."""
    return "en" if best(("zh", "en")) == "en" else "zh"


def reader_of_office(language: Language, zone: ZoneInfo, now: datetime) -> Reader:
    """Give the reader of a sentence written at an instant."""
    return Reader(language, zone, now.astimezone(zone).year)
