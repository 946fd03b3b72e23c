from collections.abc import Iterator

import pytest

from tests.unit.replay.past import Past, played


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with played(tmp_path_factory.mktemp("past")) as past:
        yield past
