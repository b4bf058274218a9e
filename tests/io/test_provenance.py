"""Versions of installed packages, against the standard library's own reading of them."""

from importlib.metadata import distributions, version

from cytometry.io.provenance import installed_versions


def test_every_installed_package_has_the_version_that_its_metadata_say() -> None:
    names = sorted({d.name for d in distributions()})
    assert len(names) > 20
    assert installed_versions(names) == {name: version(name) for name in names}


def test_what_is_not_installed_is_left_out() -> None:
    assert installed_versions(["numpy", "no-such-package"]) == {"numpy": version("numpy")}
