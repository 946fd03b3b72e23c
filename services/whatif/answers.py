"""Look-ups of a re-run: as recorded where the same is asked, else answered now, and stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.case import Lookup, Lookups
from engine.records import Json
from services.whatif.recording import question_of

COUNTERS = frozenset({"next_number"})
"""Their answer differs every time: a re-run draws no number and shows 0."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A look-up that the record doesn't answer, and the answer given in its place."""

    function: str
    arguments: tuple[Json, ...]
    answer: Json


@dataclass(slots=True)
class Answers:
    """What the re-run of one case may ask.

    Parameters
    ----------
    live : look-ups on the office of today; counters aren't among them.
    recorded : every answer that the case got, by question.
    """

    names: frozenset[str]
    live: Mapping[str, Lookup]
    recorded: Mapping[str, Json]
    stated: list[Stated] = field(default_factory=list)

    def for_command(self, recorded: list[list[Json]]) -> Lookups:
        """Give the look-ups of one command, which was recorded with these."""
        return _Reused(self, recorded)

    def answer(self, function: str, arguments: tuple[Json, ...]) -> Json:
        """Answer what the command's own record doesn't."""
        question = question_of(function, arguments)
        if function in COUNTERS:
            found: Json = 0
        elif question in self.recorded:
            return self.recorded[question]
        else:
            found = self.live[function](*arguments)
        self.stated.append(Stated(function, arguments, found))
        return found


class _Reused(Lookups):
    """Answers from the command's record first; each recorded answer is given once."""

    def __init__(self, answers: Answers, recorded: list[list[Json]]) -> None:
        super().__init__(answers.names)
        self._answers = answers
        self._left = list(recorded)

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        """Answer a look-up."""
        asked = [function, list(arguments)]
        same = next((entry for entry in self._left if entry[:2] == asked), None)
        if same is not None:
            self._left.remove(same)
            answer = same[2]
        else:
            answer = self._answers.answer(function, arguments)
        self.record.append([*asked, answer])
        return answer
