from __future__ import annotations

from pathlib import Path

import pytest

from k8slab.classroom import ledger
from k8slab.classroom.ledger import Ledger


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Return the current ledger, in a file of the test's own."""
    monkeypatch.setenv(ledger.VARIABLE, str(tmp_path / "ledger.json"))
    return ledger.current()
