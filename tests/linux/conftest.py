from __future__ import annotations

import pytest

from tests.linux.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def services() -> Lab:
    lab = Lab().with_rules()
    lab.serve("10.244.1.2", "10.244.2.2")
    return lab
