"""What is promised to somebody who installs the package."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement


def _declared(project: Path) -> dict[str, Requirement]:
    table = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [Requirement(r) for r in table["dependencies"]]
    requirements += [r for r in map(Requirement, table["optional-dependencies"]["test"]) if r.name == "pytest"]
    return {r.name: r for r in requirements}


def test_environment_yml_agrees_with_pyproject(project: Path) -> None:
    table = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    entries = yaml.safe_load((project / "environment.yml").read_text("utf-8"))["dependencies"]
    nested = next(e["pip"] for e in entries if isinstance(e, dict))
    plain = [e for e in entries if isinstance(e, str) and e != "pip"] + [e for e in nested if not e.startswith("-e")]
    listed = {r.name: r for r in map(Requirement, plain)}
    assert str(listed.pop("python").specifier) == table["requires-python"]
    assert {n: r.specifier for n, r in listed.items()} == {n: r.specifier for n, r in _declared(project).items()}


def test_the_design_cards_packages_are_declared(project: Path) -> None:
    card = {"flowkit", "fcsparser", "numpy", "scikit-learn", "anndata", "scanpy", "seaborn", "pytest"}
    assert card <= set(_declared(project))


@pytest.mark.parametrize("name", ["flowkit", "fcsparser", "numpy", "pandas", "scanpy", "pynndescent", "flowio"])
def test_installed_version_is_within_the_declared_bounds(project: Path, name: str) -> None:
    """An unpinned resolver silently takes an old FlowKit or an old fcsparser."""
    assert importlib.metadata.version(name) in _declared(project)[name].specifier


def test_constraints_hold_names_and_versions_only(project: Path) -> None:
    lines = (project / "constraints.txt").read_text("utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9_.+!]+", line)] == []


def test_constraints_satisfy_the_declared_bounds(project: Path) -> None:
    pinned = dict(line.split("==") for line in (project / "constraints.txt").read_text("utf-8").splitlines())
    names = {n.lower().replace("_", "-"): v for n, v in pinned.items()}
    wrong = {
        n: (names.get(n.lower()), str(r.specifier))
        for n, r in _declared(project).items()
        if names.get(n.lower()) not in r.specifier
    }
    assert wrong == {}


def test_no_tracked_file_names_a_registry_or_a_machine_path(project: Path) -> None:
    pattern = r"index-url|trusted-host|https?://[^ ]*/(simple|packages)/|(^|[^A-Za-z0-9_.])/(work|root|home)/[a-z]"
    found = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", ":!tests/test_packaging.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist as an installer would, without the network."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(project)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_wheel_carries_exactly_the_tracked_panels(project: Path, wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "gating_strategies"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.split()
    prefix = "cytometry/_data/"
    with zipfile.ZipFile(wheel) as archive:
        packed = {n.removeprefix(prefix) for n in archive.namelist() if n.startswith(prefix + "gating_strategies/")}
    assert packed == set(tracked)


def test_wheel_carries_every_module(project: Path, wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "cytometry"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.split()
    with zipfile.ZipFile(wheel) as archive:
        assert set(tracked) - set(archive.namelist()) == set()
