"""Every claim of an installation, tried out here and now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cytometry.io.atomic import write_atomically
from cytometry.model.claims import Claim
from cytometry.pipeline.out_folder import Stopwatch, versions
from cytometry.pipeline.qualification.figures import statistics_claims
from cytometry.pipeline.qualification.gating import gating_claims
from cytometry.pipeline.qualification.placing import placing_claims
from cytometry.pipeline.qualification.reading import reading_claims
from cytometry.pipeline.qualification.running import running_claims

AREAS: Mapping[str, Callable[[Path], Iterator[Claim]]] = MappingProxyType(
    {
        "FCS files": reading_claims,
        "gating": gating_claims,
        "placing gates": placing_claims,
        "statistics": statistics_claims,
        "running": running_claims,
    }
)


@dataclass(frozen=True)
class Qualification:
    """What an installation was found to do.

    Parameters
    ----------
    versions
        Of Python and of the packages that compute.
    seconds
        It took.
    """

    claims: tuple[Claim, ...]
    versions: Mapping[str, str]
    seconds: float

    @property
    def failed(self) -> tuple[Claim, ...]:
        """The claims that are not kept here."""
        return tuple(c for c in self.claims if not c.holds)


def qualify(
    tell: Callable[[Claim], None] = lambda _: None, areas: Mapping[str, Callable[[Path], Iterator[Claim]]] = AREAS
) -> Qualification:
    """Try every claim, in a folder of its own that is removed afterwards.

    An area that stops with an error is a claim that is not kept; the others go on.
    """
    watch = Stopwatch()
    claims: list[Claim] = []
    for area, of_area in areas.items():
        with tempfile.TemporaryDirectory(prefix="cytometry-validate-") as folder:
            for claim in _guarded(area, of_area, Path(folder)):
                claims.append(claim)
                tell(claim)
    return Qualification(tuple(claims), versions(), watch.seconds)


def _guarded(area: str, of_area: Callable[[Path], Iterator[Claim]], folder: Path) -> Iterator[Claim]:
    try:
        yield from of_area(folder)
    except Exception as error:  # noqa: BLE001 - whatever stops an area is what the qualification is there to show
        found = f"{type(error).__name__}: {error}"
        yield Claim(area, "the area is tried to its end", "qualification", "=", "tried", found)


def write_qualification(qualification: Qualification, out: Path) -> Path:
    """Write ``validation.html``, ``.md`` and ``.json``; return the first.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    from cytometry.reporting.qualification_page import qualification_html, qualification_json, qualification_markdown

    facts = (qualification.claims, qualification.versions)
    write_atomically(out / "validation.json", qualification_json(*facts).encode())
    write_atomically(out / "validation.md", qualification_markdown(*facts).encode())
    write_atomically(out / "validation.html", qualification_html(*facts).encode())
    return out / "validation.html"
