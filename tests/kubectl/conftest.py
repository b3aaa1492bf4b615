from __future__ import annotations

import pytest

from tests.kubectl.desk import POD, WEB, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def web() -> str:
    return WEB


@pytest.fixture
def pod() -> str:
    return POD
