"""The first start of an installation, and what every start makes sure of."""

import secrets
from dataclasses import dataclass

from engine.definitions import hash_of, load_folder
from services.office import Office
from services.people import queries as people
from services.people.admin import create_user
from services.people.queries import Grant
from services.people.roles import Role

ADMINISTRATOR = "admin"
SYSTEM = "system"
"""Who deploys the definitions that come with a release."""

_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Started:
    """What a start found to do."""

    deployed: tuple[str, ...]
    password: str | None
    """The first administrator's one-time password, when there was nobody yet."""
    demo_cases: int | None


def start_up(office: Office, *, demo: bool = False) -> Started:
    """Deploy what changed, and give an empty installation its first people.

    Parameters
    ----------
    demo : fill an empty installation with people and cases; one with people stays as it is.
    """
    deployed = deploy_changed(office)
    with office.store.transaction(write=False) as transaction:
        is_empty = not people.users(transaction.connection)
    if not is_empty:
        return Started(deployed, None, None)
    if demo:
        from services.demo.load import load_demo  # noqa: PLC0415 -- only a first start needs it

        return Started(deployed, None, load_demo(office))
    return Started(deployed, _create_administrator(office), None)


def deploy_changed(office: Office) -> tuple[str, ...]:
    """Deploy the definitions of the settings' folder that no version has yet.

    A definition whose newest version a designer made stays as the designer left it.
    """
    root = office.settings.definitions
    changed = []
    for key in sorted(folder.parent.name for folder in root.glob("*/process.bpmn")):
        files = load_folder(root, key)
        sha256 = hash_of(files)
        with office.store.transaction(write=False) as transaction:
            versions = transaction.deployments(key)
        known = any(version.sha256 == sha256 for version in versions)
        ours = all(version.deployed_by == SYSTEM for version in versions)
        if not known and ours:
            office.engine.library.deploy(files, SYSTEM, office.clock.now())
            changed.append(key)
    return tuple(changed)


def _create_administrator(office: Office) -> str:
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with office.store.transaction() as transaction:
        create_user(
            transaction.connection,
            ADMINISTRATOR,
            "系统管理员",
            grants=[Grant(Role.ADMIN)],
            password=password,
        )
    return password
