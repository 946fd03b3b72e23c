"""Keys, signed tree heads, the log they stand on, and where each case stood when sealed last.

None of it is computed from one case's history, so none of it has a case's id in front.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
)

from engine.store.tables import ID, metadata

proof_keys = Table(
    "proof_keys",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("suite", String(40), nullable=False),
    Column("public", String(140), nullable=False),
    Column("from_head", Integer, nullable=False),
    Column("at", String(40), nullable=False),
    Column("signature", String(140), nullable=False),
)

proof_heads = Table(
    "proof_heads",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", String(80), nullable=False),
    Column("cases", Integer, nullable=False),
    Column("register", String(80), nullable=False),
    Column("access_entry", String(40)),
    Column("access_hash", String(80)),
    Column("suite", String(40), nullable=False),
    Column("key", Integer, nullable=False),
    Column("signature", String(140), nullable=False),
)

proof_log = Table(
    "proof_log",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False, index=True),
    Column("case_id", ID),
    Column("seq", Integer),
    Column("head", String(80)),
    Index(None, "case_id", "place"),
)
"""One row per leaf; the leaf that closes a head has no case, its facts are the head's."""

proof_nodes = Table(
    "proof_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)
"""Full subtrees of the log; they follow from its leaves and never change."""

proof_cases = Table(
    "proof_cases",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("head", String(80), nullable=False),
)
"""Where each case stood when it was sealed last: the newest of its entries in the log."""

MOVE_CASE = (
    proof_cases.update()
    .where(proof_cases.c.case_id == bindparam("moved"))
    .values(seq=bindparam("new_seq"), head=bindparam("new_head"))
)
