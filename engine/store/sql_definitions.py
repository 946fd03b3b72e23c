"""Definitions as they were deployed: their versions, and their files by hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection, select

from engine.store import Deployment
from engine.store.tables import definition_files, definitions


def deployment(connection: Connection, key: str, version: int | None = None) -> Deployment | None:
    """Give one version, or the newest active one."""
    wanted = select(definitions).where(definitions.c.key == key)
    if version is None:
        wanted = wanted.where(definitions.c.active).order_by(definitions.c.version.desc())
    else:
        wanted = wanted.where(definitions.c.version == version)
    row = connection.execute(wanted.limit(1)).one_or_none()
    return None if row is None else Deployment(*row)


def deployments(connection: Connection, key: str | None = None) -> list[Deployment]:
    """List versions, the newest first."""
    wanted = select(definitions).order_by(definitions.c.key, definitions.c.version.desc())
    if key is not None:
        wanted = wanted.where(definitions.c.key == key)
    return [Deployment(*row) for row in connection.execute(wanted)]


def deploy(connection: Connection, deployment: Deployment, contents: Mapping[str, bytes]) -> None:
    """Keep a version and, once per hash, its files."""
    if not files(connection, deployment.sha256):
        connection.execute(
            definition_files.insert(),
            [
                {"sha256": deployment.sha256, "name": name, "content": content}
                for name, content in sorted(contents.items())
            ],
        )
    connection.execute(definitions.insert(), asdict(deployment))


def activate(connection: Connection, approved: Deployment) -> None:
    """Let new cases start on a version that was proposed."""
    connection.execute(
        definitions.update()
        .where(definitions.c.key == approved.key, definitions.c.version == approved.version)
        .values(
            active=True,
            approved_at=approved.approved_at,
            approved_by=approved.approved_by,
        )
    )


def files(connection: Connection, sha256: str) -> dict[str, bytes]:
    """Give the files of a definition by its hash."""
    found = connection.execute(
        select(definition_files.c.name, definition_files.c.content).where(
            definition_files.c.sha256 == sha256
        )
    )
    return {row.name: bytes(row.content) for row in found}
