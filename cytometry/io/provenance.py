"""Which packages are installed: read from the names of their folders, not by parsing what is in them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from functools import lru_cache

_DIST_INFO = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)\.dist-info")
_SEPARATORS = re.compile(r"[-_.]+")


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of those packages that are installed, by the name asked for.

    An installed wheel's folder is called ``<name>-<version>.dist-info`` (the
    Python packaging standard on recording installed projects). The first on the
    path counts, as it does for ``import``. ``importlib.metadata`` tells the same
    and takes ten times as long, most of it to load a parser of e-mail.

    >>> sorted(installed_versions(["NumPy", "no-such-package"]))
    ['NumPy']
    """
    found = _installed(tuple(sys.path))
    return {name: found[key] for name in names if (key := _normalised(name)) in found}


@lru_cache(maxsize=4)
def _installed(folders: tuple[str, ...]) -> dict[str, str]:
    versions: dict[str, str] = {}
    for folder in folders:
        if not os.path.isdir(folder):  # noqa: PTH112 - a Path for each entry costs more than the listing
            continue
        for entry in os.listdir(folder):  # noqa: PTH208 - as above
            match = _DIST_INFO.fullmatch(entry)
            if match:
                versions.setdefault(_normalised(match["name"]), match["version"])
    return versions


def _normalised(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
