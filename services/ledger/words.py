"""What stands in the cells of an exported ledger: the words of the forms, and of states."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from engine import Engine
from engine.errors import DefinitionNotFound
from engine.records import Json
from services.cases.commands import REGISTER

Language = Literal["zh", "en"]
Label = Callable[[str, str], str]

STATUSES: Mapping[str, tuple[str, str]] = {
    "registered": ("已立项", "registered"),
    "dispatched": ("已交办", "dispatched"),
    "in_progress": ("办理中", "in progress"),
    "under_review": ("审核中", "under review"),
    "closed": ("已办结", "closed"),
    "suspended": ("已中止", "suspended"),
    "cancelled": ("已终止", "cancelled"),
}
LIGHTS: Mapping[str, tuple[str, str]] = {
    "green": ("绿灯", "green"),
    "yellow": ("黄灯", "yellow"),
    "red": ("红灯", "red"),
    "grey": ("灰灯", "grey"),
}
RATINGS: Mapping[str, tuple[str, str]] = {
    "satisfied": ("满意", "satisfied"),
    "basically": ("基本满意", "basically satisfied"),
    "not": ("不满意", "not satisfied"),
}
_FIXED = {"status": STATUSES, "light": LIGHTS, "rating": RATINGS}


def labels_of(engine: Engine, language: Language) -> Label:
    """Give what gives the word for a field's value, such as ``("status", "closed")``.

    What the forms and definitions call something in Chinese is taken from them; in English a
    value stands as it is when nothing better is known.
    """
    with engine.store.transaction(write=False) as transaction:
        keys = sorted({deployment.key for deployment in transaction.deployments()})
    names: dict[str, str] = {}
    schemas: list[Json] = []
    for key in keys:
        try:
            definition = engine.library.current(key)[1]
        except DefinitionNotFound:
            continue
        names[key] = definition.name
        schemas.append(definition.form(REGISTER))
    known = {"case_type": names, **_of_forms(schemas)} if language == "zh" else {}

    def label(field: str, value: str) -> str:
        if field in _FIXED:
            found = _FIXED[field].get(value)
            return value if found is None else found[0 if language == "zh" else 1]
        return known.get(field, {}).get(value, value)

    return label


def _of_forms(schemas: Iterable[Json]) -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = {}
    for schema in schemas:
        for field, about in schema.get("properties", {}).items():
            labels = about.get("x-labels", {})
            known[field] = {**labels, **known.get(field, {})}
    return known
