"""The command that erases the personal data of a case: two people, one after the other."""

import click

from api.console import opened
from engine import Actor, CaseId
from services.cases.queries import id_of
from services.erasure.commands import DecideErasure, ProposeErasure
from services.erasure.erasing import decide
from services.erasure.grounds import Ground
from services.erasure.queries import erasures_of


@click.command()
@click.argument("case", required=False)
@click.option("--by", "user", help="Whose act this is, by login.")
@click.option(
    "--ground",
    type=click.Choice([ground.value for ground in Ground]),
    help="The item of PIPL art. 47 (1).",
)
@click.option("--reason", help="Why; it stands on the record.")
@click.option("--confirm", "decision", flag_value="erase", help="Erase what another proposed.")
@click.option("--keep", "decision", flag_value="keep", help="Decline what another proposed.")
def erase(
    case: str | None,
    *,
    user: str | None,
    ground: str | None,
    reason: str | None,
    decision: str | None,
) -> None:
    """Propose, confirm or decline the erasure of a case's personal data; without CASE, list all.

    An administrator proposes with --ground, the director confirms: never the same person. What is
    confirmed is destroyed for good; the history and its proofs stay whole.
    """
    if case is None:
        _list()
        return
    if user is None or reason is None or (ground is None) == (decision is None):
        raise click.UsageError("give --by, --reason, and either --ground or --confirm or --keep")
    with opened() as office:
        with office.store.transaction(write=False) as transaction:
            wanted = CaseId(id_of(transaction.connection, case) or case)
        by, at = Actor(user), office.clock.now()
        if ground is not None:
            ask = ProposeErasure(case=wanted, by=by, at=at, ground=ground, reason=reason)
            receipt = office.engine.execute(ask)
            said = "proposed"
        else:
            erased = decision == "erase"
            answer = DecideErasure(case=wanted, by=by, at=at, erase=erased, reason=reason)
            receipt = decide(office, answer)
            said = "erased" if erased else "kept"
    click.echo(f"{wanted}: {said}, event {receipt.seq}")


def _list() -> None:
    with opened() as office, office.store.transaction(write=False) as transaction:
        page = erasures_of(transaction.connection, limit=200)
    for one in page.items:
        state = one.decision or "open"
        if state == "erase":
            state = "erased" if one.carried_out_at else "being erased"
        click.echo(f"{one.number or one.case}  {state}  {one.ground}  {one.reason}")
