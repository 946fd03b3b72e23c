"""An office behind HTTP, and some of its people."""

from typing import Any

from flask.testing import FlaskClient

from api.app import create_app
from services.people.signing_in import create_token
from tests.helpers.offices import Place


class Door:
    """Asks an office over HTTP as one of these users."""

    def __init__(self, place: Place, *users: str) -> None:
        self.place = place
        self.client: FlaskClient = create_app(place.office).test_client()
        with place.office.store.transaction() as transaction:
            self._tokens = {
                user: create_token(transaction.connection, user, "test", place.clock.now())
                for user in users
            }

    def get(self, path: str, user: str = "leader") -> Any:  # noqa: ANN401 -- an answer
        """Read something."""
        return self.client.get(f"/api/v1{path}", headers=self.headers(user))

    def send(self, method: str, path: str, user: str, body: object, key: str = "") -> Any:  # noqa: ANN401 -- an answer
        """Change something."""
        return self.client.open(
            f"/api/v1{path}", method=method, json=body, headers=self.headers(user, key)
        )

    def headers(self, user: str, key: str = "") -> dict[str, str]:
        """Give who asks, under which key."""
        named = {"Idempotency-Key": key} if key else {}
        return {"Authorization": f"Bearer {self._tokens[user]}", **named}
