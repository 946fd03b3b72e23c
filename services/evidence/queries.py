"""What the tables of proofs say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select, tuple_

from engine.ids import CaseId
from engine.proof.heads import KeyRecord, TreeHead, closing_leaf, log_leaf
from engine.proof.merkle import Place
from engine.rows import ROWS
from engine.store.tables import case_keys, cases, events, inbox, metadata, snapshots
from services.evidence.tables import proof_cases, proof_heads, proof_keys, proof_log, proof_nodes

_AT_ONCE = 400
"""Places asked for in one statement."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands: number and hash of an event of it."""

    case: CaseId
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One case's leaf in the log: its place, the head that sealed it, where the case stood."""

    place: int
    number: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class LogLeaf:
    """One leaf of the log; one that closes a head has no `standing`."""

    place: int
    content: bytes
    standing: Standing | None


def keys(connection: Connection) -> list[KeyRecord]:
    """Read all keys in order."""
    found = connection.execute(select(proof_keys).order_by(proof_keys.c.number))
    return [KeyRecord(**row._mapping) for row in found]


def heads(connection: Connection, after: int = 0, limit: int | None = None) -> list[TreeHead]:
    """Read tree heads in order, those after number `after`."""
    wanted = select(proof_heads).where(proof_heads.c.number > after)
    found = connection.execute(wanted.order_by(proof_heads.c.number).limit(limit))
    return [TreeHead(**row._mapping) for row in found]


def newest_head(connection: Connection) -> TreeHead | None:
    """Read the newest tree head."""
    wanted = select(proof_heads).order_by(proof_heads.c.number.desc()).limit(1)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else TreeHead(**row._mapping)


def unsealed(connection: Connection) -> list[Standing]:
    """List cases that moved since they were sealed last, by id."""
    joined = cases.outerjoin(proof_cases, proof_cases.c.case_id == cases.c.case_id)
    moved = or_(proof_cases.c.head.is_(None), proof_cases.c.head != cases.c.head)
    found = connection.execute(
        select(cases.c.case_id, cases.c.seq, cases.c.head).select_from(joined).where(moved)
    )
    return sorted((Standing(*row) for row in found), key=lambda standing: standing.case)


def sealed_cases(connection: Connection) -> list[Standing]:
    """List where every case stood when it was sealed last, by id."""
    found = connection.execute(select(proof_cases.c.case_id, proof_cases.c.seq, proof_cases.c.head))
    return sorted((Standing(*row) for row in found), key=lambda standing: standing.case)


def entries(connection: Connection, wanted: Sequence[CaseId]) -> dict[CaseId, list[Entry]]:
    """Read the log's entries of some cases, in order."""
    found: dict[CaseId, list[Entry]] = {case: [] for case in wanted}
    for some in _portions(wanted):
        rows = connection.execute(
            select(proof_log).where(proof_log.c.case_id.in_(some)).order_by(proof_log.c.place)
        )
        for row in rows:
            standing = Standing(CaseId(row.case_id), row.seq, row.head)
            found[standing.case].append(Entry(row.place, row.number, standing))
    return found


def nodes(connection: Connection, wanted: Iterable[Place]) -> dict[Place, bytes]:
    """Read full subtrees of the log by their places; those that aren't there are left out."""
    found: dict[Place, bytes] = {}
    table = proof_nodes.c
    for some in _portions(sorted(wanted)):
        rows = connection.execute(
            select(proof_nodes).where(tuple_(table.level, table.place).in_(some))
        )
        found.update({(row.level, row.place): bytes(row.hash) for row in rows})
    return found


def log_leaves(connection: Connection, sealed: Mapping[int, TreeHead]) -> Iterator[LogLeaf]:
    """Read the whole log in order; `sealed` are all tree heads, each with a leaf of its own."""
    for row in connection.execute(select(proof_log).order_by(proof_log.c.place)):
        if row.case_id is not None:
            content = log_leaf(row.number, row.case_id, row.seq, row.head)
            standing = Standing(CaseId(row.case_id), row.seq, row.head)
            yield LogLeaf(row.place, content, standing)
        else:
            head = sealed.get(row.number)
            yield LogLeaf(row.place, b"" if head is None else closing_leaf(head), None)


def log_size(connection: Connection) -> int:
    """Count the leaves of the log."""
    return int(connection.execute(select(func.count()).select_from(proof_log)).scalar_one())


def broken_entries(connection: Connection) -> list[tuple[Entry, int | None, str | None]]:
    """List entries that the histories contradict.

    Returns
    -------
    The entry, the number of the case's last event now (`None`: no such case), and the hash that
    its event of that number has now (`None`: no such event).
    """
    joined = proof_log.outerjoin(
        events, and_(events.c.case_id == proof_log.c.case_id, events.c.seq == proof_log.c.seq)
    ).outerjoin(cases, cases.c.case_id == proof_log.c.case_id)
    differs = or_(
        events.c.hash.is_(None), events.c.hash != proof_log.c.head, cases.c.case_id.is_(None)
    )
    found = connection.execute(
        select(proof_log, cases.c.seq.label("now"), events.c.hash)
        .select_from(joined)
        .where(proof_log.c.case_id.is_not(None), differs)
        .order_by(proof_log.c.place)
    )
    return [
        (
            Entry(row.place, row.number, Standing(CaseId(row.case_id), row.seq, row.head)),
            row.now,
            row.hash,
        )
        for row in found
    ]


def strays(connection: Connection) -> list[tuple[str, str]]:
    """List rows whose case isn't there, as (table, case)."""
    beside = (events, case_keys, inbox, snapshots, *(metadata.tables[name] for name in ROWS))
    return [
        (table.name, case)
        for table in beside
        for case in connection.execute(
            select(table.c.case_id)
            .distinct()
            .outerjoin(cases, cases.c.case_id == table.c.case_id)
            .where(cases.c.case_id.is_(None))
            .order_by(table.c.case_id)
        ).scalars()
    ]


def _portions(wanted: Sequence[Place] | Sequence[CaseId]) -> Iterator[list[Place | CaseId]]:
    for start in range(0, len(wanted), _AT_ONCE):
        yield list(wanted[start : start + _AT_ONCE])
