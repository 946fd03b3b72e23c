"""Which sequence flows a run of the engine took: told from the elements it passed.

An event names the elements passed in order, and the places that gained a token. A token that
leaves an element arrives in the same run, so the flow taken is the one whose target comes next in
the same scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.diagrams import Element, Flow
from engine.events import ProcessAdvanced, Token

ElementsOf = Callable[[str], Mapping[str, Element]]

_ONE_WAY = frozenset({"exclusiveGateway", "eventBasedGateway", "complexGateway"})
_BY_EVIDENCE = frozenset({"inclusiveGateway", "intermediateThrowEvent"})


def flows_taken(
    advanced: ProcessAdvanced, elements_of: ElementsOf, standing: frozenset[Token]
) -> Iterator[tuple[str, Flow]]:
    """Give each flow taken with its scope, in order.

    Parameters
    ----------
    elements_of : gives the elements that tokens of a scope stand on, by id.
    standing : where tokens stand after the run.
    """
    for place, token in enumerate(advanced.passed):
        element = elements_of(token.scope).get(token.element)
        if element is None or not element.outgoing:
            continue
        if element.loop is not None and not _is_over(token, place, advanced.passed, standing):
            continue
        for flow in _flows_of(element, place, token, advanced):
            yield token.scope, flow


def _is_over(token: Token, place: int, passed: Sequence[Token], standing: frozenset[Token]) -> bool:
    # The instances of a repeated activity pass it, too; it is left once, after the last of them.
    return token not in standing and token not in passed[place + 1 :]


def _flows_of(
    element: Element, place: int, token: Token, advanced: ProcessAdvanced
) -> Iterator[Flow]:
    later = [t.element for t in advanced.passed[place + 1 :] if t.scope == token.scope]
    later += [t.element for t in advanced.entered if t.scope == token.scope]
    if element.kind in _ONE_WAY and len(element.outgoing) > 1:
        targets = {flow.target: flow for flow in element.outgoing}
        first = next((target for target in later if target in targets), None)
        if first is not None:
            yield targets[first]
        return
    for flow in element.outgoing:
        certain = flow.condition is None and element.kind not in _BY_EVIDENCE
        if certain or flow.target in later:
            yield flow
