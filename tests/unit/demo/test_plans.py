import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest

from engine.definitions import load_folder, trusted_definition
from services.demo.figures import TypeFigures, rate, total
from services.demo.plans import Plan, defaults, standing, year
from services.demo.report import situations
from services.demo.sample import items, units
from services.demo.situations import SITUATIONS

BPMN = Path(__file__).resolve().parents[3] / "bpmn"
TYPES = {"leader_instruction", "meeting_decision", "npc_suggestion", "cppcc_proposal"}


def test_the_sample_has_its_fifty_units_and_forty_five_matters() -> None:
    assert len(units()) == 50
    assert len(items()) == 45
    assert len({item.title for item in items()}) == 45


def test_the_year_plans_every_matter_of_the_four_types_once() -> None:
    planned = [plan.item.title for plan in year()]

    assert sorted(planned) == sorted(i.title for i in items() if i.case_type in TYPES)


def test_every_situation_is_promised_by_a_plan_and_has_words() -> None:
    promised = {name for plan in year() for name in plan.shows}

    assert promised == set(SITUATIONS) == set(situations())


@pytest.mark.parametrize("plan", [*year(), *standing()], ids=lambda plan: plan.item.title)
def test_every_planned_step_is_of_a_known_kind(plan: Plan) -> None:
    for place in plan.steps:
        assert plan.behaviour(place.partition("@")[0], None, 0).when


@pytest.mark.parametrize(
    "case_type", sorted(path.parent.name for path in BPMN.glob("*/process.bpmn"))
)
def test_whoever_adds_a_task_says_what_the_demonstration_does_with_it(case_type: str) -> None:
    definition = trusted_definition(load_folder(BPMN, case_type))
    tasks = [element for (_, element), e in definition.elements.items() if e.kind == "userTask"]

    assert tasks
    for element in tasks:
        assert {element, f"{case_type}/{element}"} & set(defaults()["tasks"]), element


def test_a_plan_for_one_unit_wins_over_the_plan_for_all() -> None:
    plan = next(plan for plan in year() if "co_opinion@u6" in plan.steps)

    assert plan.behaviour("co_opinion", "u6", 0).is_never
    assert not plan.behaviour("co_opinion", "u16", 0).is_never
    assert not plan.behaviour("co_opinion", "u6", 1).is_never


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1, 16, "6.3"), (1, 8, "12.5"), (2, 3, "66.7"), (0, 4, "0.0"), (1, 2000, "0.1"), (0, 0, None)],
)
def test_rates_are_rounded_half_up_to_one_decimal(part: int, whole: int, text: str | None) -> None:
    assert rate(part, whole) == text
    assert text is None or Decimal(text) >= 0


def test_parts_add_up() -> None:
    one, other = TypeFigures(registered=2, closed=1), TypeFigures(registered=3, closed=3)
    one.rounds[1] += 2

    whole = total([one, other])

    assert (whole.registered, whole.closed, whole.rounds[1]) == (5, 4, 2)


def test_each_situation_has_two_languages() -> None:
    text = (resources.files("services.demo") / "data" / "situations.toml").read_text("utf-8")

    assert all(len(words) == 2 and all(words) for words in tomllib.loads(text).values())
