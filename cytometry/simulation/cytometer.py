"""The instrument: detectors, spillover, photons, electronics, scatter of doublets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import RequestError
from cytometry.model.channels import Channel
from cytometry.model.spillover import Spillover

FloatArray = npt.NDArray[np.float64]

#: Number of channels of the digitiser ($PnR) and the largest value that it writes.
RANGE = 262_144.0
TOP = RANGE - 1.0

SCATTER: tuple[str, ...] = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W")
TIME = "Time"
#: Seconds per tick of the Time channel.
TIMESTEP_S = 0.01

#: $PnV of every detector, in every tube: the demo's shifts between batches are staining, not settings.
VOLTAGE = 450.0

#: Photoelectrons per channel unit: their Poisson noise is what compensation spreads into its neighbours.
PHOTOELECTRONS_PER_UNIT = 0.07
#: Electronic noise, standard deviation in channel units.
ELECTRONIC_SD = 45.0
#: Median autofluorescence of a resting lymphocyte, channel units, by laser.
AUTOFLUORESCENCE: Mapping[str, float] = MappingProxyType(
    {"BV": 60.0, "FITC": 55.0, "PerCP": 30.0, "PE": 35.0, "APC": 15.0}
)

# Share of a dye's signal (row) in another detector (first name in the pair); what is not listed leaves 0.2 %
# or nothing. Tandems and neighbours on one laser give 10 to 30 %, and the matrix is not symmetric.
_SPILL: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "FITC": {"PE": 0.14, "PerCP-Cy5-5": 0.03, "BV510": 0.04},
        "PerCP-Cy5-5": {"APC-R700": 0.12, "BV711": 0.16, "BV786": 0.06, "PE-Cy7": 0.05, "APC-H7": 0.03, "APC": 0.02},
        "PE": {"PerCP-Cy5-5": 0.12, "FITC": 0.01, "BV605": 0.11, "PE-Cy7": 0.02},
        "PE-Cy7": {"BV786": 0.11, "APC-H7": 0.06, "PE": 0.02, "PerCP-Cy5-5": 0.015},
        "APC": {"APC-R700": 0.24, "APC-H7": 0.08, "PerCP-Cy5-5": 0.02, "BV711": 0.01},
        "APC-R700": {"APC-H7": 0.22, "BV711": 0.14, "PerCP-Cy5-5": 0.06, "BV786": 0.05, "APC": 0.03},
        "APC-H7": {"PE-Cy7": 0.12, "BV786": 0.13, "APC": 0.05, "APC-R700": 0.04},
        "BV421": {"BV510": 0.15, "BV605": 0.03, "BV711": 0.01},
        "BV510": {"BV605": 0.18, "BV421": 0.03, "FITC": 0.05, "BV711": 0.05, "BV786": 0.02},
        "BV605": {"BV711": 0.22, "PE": 0.12, "BV786": 0.10, "BV510": 0.04, "PerCP-Cy5-5": 0.05},
        "BV711": {"BV786": 0.29, "APC-R700": 0.13, "PerCP-Cy5-5": 0.10, "BV605": 0.03, "APC-H7": 0.03},
        "BV786": {"APC-H7": 0.16, "BV711": 0.11, "PE-Cy7": 0.10, "APC-R700": 0.03},
    }
)


@dataclass(frozen=True)
class TubePanel:
    """Which dye carries which marker in a tube.

    Parameters
    ----------
    name
        Key that ``samples.csv`` uses.
    dyes
        Marker (``$PnS``) to dye; the detector (``$PnN``) is the dye's name with ``-A``.
    """

    name: str
    dyes: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "dyes", MappingProxyType(dict(self.dyes)))

    @property
    def markers(self) -> tuple[str, ...]:
        """Stained markers in channel order."""
        return tuple(self.dyes)

    @property
    def detectors(self) -> tuple[str, ...]:
        """``$PnN`` of the fluorescence channels."""
        return tuple(f"{dye}-A" for dye in self.dyes.values())

    def channels(self) -> tuple[Channel, ...]:
        """Scatter, fluorescence, Time, as a file holds them."""
        names = (*SCATTER, *self.detectors, TIME)
        markers = ("",) * len(SCATTER) + self.markers + ("",)
        return tuple(
            Channel(index=i, name=n, marker=m, range=RANGE, voltage=None if n == TIME else VOLTAGE)
            for i, (n, m) in enumerate(zip(names, markers, strict=True))
        )

    def spillover(self) -> Spillover:
        """The true matrix, dyes in rows."""
        dyes = tuple(self.dyes.values())
        matrix = np.eye(len(dyes))
        for row, dye in enumerate(dyes):
            for column, detector in enumerate(dyes):
                if row != column:
                    matrix[row, column] = _SPILL[dye].get(detector, 0.002 if dye[:2] == detector[:2] else 0.0)
        return Spillover(self.detectors, matrix, source="simulated")

    def autofluorescence(self) -> FloatArray:
        """Median of a resting lymphocyte by detector."""
        return np.array([next(v for k, v in AUTOFLUORESCENCE.items() if d.startswith(k)) for d in self.dyes.values()])


#: The two tubes of the demo study.
TUBE_PANELS: Mapping[str, TubePanel] = MappingProxyType(
    {
        "bcell": TubePanel(
            "bcell",
            {
                "IgD": "FITC",
                "CD20": "PerCP-Cy5-5",
                "CD24": "BV421",
                "CD3/CD14": "BV510",
                "CD11c": "BV605",
                "CD95": "BV711",
                "CD19": "BV786",
                "CD21": "PE",
                "CD27": "PE-Cy7",
                "CXCR5": "APC",
                "CD38": "APC-R700",
                "Viability": "APC-H7",
            },
        ),
        "treg": TubePanel(
            "treg",
            {
                "Helios": "FITC",
                "CD4": "PerCP-Cy5-5",
                "LAP": "BV421",
                "CD3": "BV510",
                "CD8": "BV605",
                "CD127": "BV711",
                "FoxP3": "PE",
                "CD25": "PE-Cy7",
                "GARP": "APC",
                "CD45RA": "APC-R700",
                "Viability": "APC-H7",
            },
        ),
    }
)


def tube_panel(name: str) -> TubePanel:
    """One of :data:`TUBE_PANELS`.

    Raises
    ------
    RequestError
        There is no such panel.
    """
    if name not in TUBE_PANELS:
        raise RequestError(f"no simulated panel is called '{name}'", hint=f"panels: {', '.join(TUBE_PANELS)}")
    return TUBE_PANELS[name]


def detect(dyes: FloatArray, background: FloatArray, matrix: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Turn light into what the digitiser writes.

    Parameters
    ----------
    dyes
        Events × dyes, each in units of its own detector.
    background
        Events × detectors of autofluorescence.
    matrix
        True spillover, dyes in rows.
    rng
        Draws photons and electronic noise.

    Returns
    -------
    FloatArray
        Events × detectors. ``Poisson(q (dyes @ matrix + background)) / q + Normal(0, s)``, cut at the top of the scale.
        Photon noise of a bright dye stays in its neighbours after compensation (Nguyen et al. 2013).
    """
    light = np.maximum(dyes @ matrix + background, 0.0)
    seen = rng.poisson(light * PHOTOELECTRONS_PER_UNIT) / PHOTOELECTRONS_PER_UNIT
    seen += rng.normal(0.0, ELECTRONIC_SD, size=seen.shape)
    return np.asarray(np.minimum(seen, TOP))
