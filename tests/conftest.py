"""Fixtures that every test folder may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.reference import VARIABLE, reference_root

PROJECT = Path(__file__).resolve().parents[1]

# How long an example takes is the machine's affair; benchmarks measure, tests check.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout's root."""
    return PROJECT


@pytest.fixture(scope="session")
def sample_fcs() -> Path:
    """The shipped synthetic study."""
    return PROJECT / "sample_fcs"


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Root of the reference data; a test that needs it is parametrised over what is there."""
    root = reference_root()
    if root is None:
        pytest.skip(f"{VARIABLE} is not set: the reference data is not part of the project")
    return root
