"""What kinds of cells the simulator knows: where each lies on every marker, and on scatter.

Levels are medians in channel units of an instrument with a range of 262,144;
spreads are standard deviations in decades. They follow phenotypes (which marker
is absent, dim, bright) of the IgD × CD27 scheme (Sanz, Wei, Jenks) and of the
CD4 CD25 CD127 FoxP3 scheme; the numbers are assumptions, chosen to look like
tubes of a conventional analyser. No file's values were fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType

#: Level of a marker that a cell does not carry: unspecific binding.
ABSENT = (45.0, 0.30)

Expression = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class CellType:
    """One kind of cell.

    Parameters
    ----------
    name
        Unique in :data:`CELL_TYPES`.
    populations
        Canonical population ids that hold such a cell, outermost first.
    expression
        Marker to (median in channel units, spread in decades); missing: :data:`ABSENT`.
    forward, side
        Median FSC-A and SSC-A.
    autofluorescence
        Relative to a resting lymphocyte.
    """

    name: str
    populations: tuple[str, ...]
    expression: Expression
    forward: float = 78_000.0
    side: float = 32_000.0
    autofluorescence: float = 1.0
    markers: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", MappingProxyType(dict(self.expression)))
        object.__setattr__(self, "markers", frozenset(self.expression))


def _b(name: str, populations: tuple[str, ...], expression: Expression, *, forward: float = 78_000.0) -> CellType:
    """A B cell: what all share, then what this one changes."""
    shared: Expression = {
        "CD19": (9_000, 0.13),
        "CD20": (16_000, 0.14),
        "CD45RA": (9_000, 0.15),
    }
    return CellType(name, ("b_cells", *populations), {**shared, **expression}, forward=forward)


_NAIVE: Expression = MappingProxyType(
    {
        "IgD": (8_500, 0.24),
        "CD27": (80, 0.26),
        "CD38": (900, 0.24),
        "CD24": (1_300, 0.20),
        "CD21": (5_200, 0.18),
        "CD11c": (70, 0.30),
        "CXCR5": (3_300, 0.17),
        "CD95": (70, 0.30),
    }
)

_B_CELLS = (
    _b(
        "transitional",
        ("naive", "transitional"),
        {
            **_NAIVE,
            "IgD": (6_500, 0.24),
            "CD38": (6_200, 0.15),
            "CD24": (6_800, 0.14),
            "CD21": (3_000, 0.24),
            "CXCR5": (2_600, 0.20),
        },
    ),
    # T3-like cells lie between transitional and resting naive; without MitoTracker Green they count as
    # naive, and they make the smear that every CD24 × CD38 plot shows.
    _b("late_transitional", ("naive", "resting_naive"), {**_NAIVE, "CD38": (2_300, 0.14), "CD24": (2_500, 0.14)}),
    _b("resting_naive", ("naive", "resting_naive"), _NAIVE),
    _b(
        "activated_naive",
        ("naive", "activated_naive"),
        {
            "CD19": (13_500, 0.14),
            "CD20": (21_000, 0.14),
            "IgD": (5_200, 0.27),
            "CD27": (85, 0.27),
            "CD38": (170, 0.32),
            "CD24": (190, 0.30),
            "CD21": (330, 0.30),
            "CD11c": (1_900, 0.26),
            "CXCR5": (280, 0.32),
            "CD95": (1_100, 0.28),
        },
        forward=88_000,
    ),
    _b(
        "unswitched_memory",
        ("unswitched_memory",),
        {
            "IgD": (3_600, 0.28),
            "CD27": (3_000, 0.22),
            "CD38": (330, 0.30),
            "CD24": (3_300, 0.20),
            "CD21": (6_300, 0.18),
            "CD11c": (110, 0.32),
            "CXCR5": (3_300, 0.20),
            "CD95": (550, 0.32),
        },
    ),
    _b(
        "switched_memory",
        ("switched_memory",),
        {
            "IgD": (55, 0.32),
            "CD27": (3_300, 0.22),
            "CD38": (260, 0.33),
            "CD24": (3_000, 0.24),
            "CD21": (4_600, 0.24),
            "CD11c": (140, 0.34),
            "CXCR5": (2_400, 0.24),
            "CD95": (900, 0.32),
        },
    ),
    _b(
        "activated_switched_memory",
        ("switched_memory",),
        {
            "CD19": (12_500, 0.15),
            "IgD": (55, 0.32),
            "CD27": (3_600, 0.22),
            "CD38": (300, 0.38),
            "CD24": (450, 0.33),
            "CD21": (420, 0.33),
            "CD11c": (1_600, 0.30),
            "CXCR5": (700, 0.33),
            "CD95": (2_200, 0.26),
        },
        forward=90_000,
    ),
    *(
        _b(
            name,
            ("double_negative", name),
            {
                "CD19": (cd19, 0.14),
                "IgD": (60, 0.32),
                "CD27": (85, 0.27),
                "CD38": (cd38, 0.33),
                "CD24": (cd24, 0.30),
                "CD21": (cd21, 0.27),
                "CD11c": (cd11c, 0.27),
                "CXCR5": (cxcr5, 0.24),
                "CD95": (cd95, 0.30),
            },
            forward=forward,
        )
        for name, cd19, cd38, cd24, cd21, cd11c, cxcr5, cd95, forward in (
            ("dn1", 9_000, 350, 2_000, 4_300, 80, 3_000, 450, 79_000),
            ("dn2", 14_000, 150, 170, 300, 2_300, 190, 2_000, 90_000),
            ("dn3", 10_500, 230, 330, 650, 90, 190, 900, 84_000),
            ("dn4", 11_000, 300, 900, 1_900, 1_700, 2_600, 900, 84_000),
        )
    ),
    # Antibody-secreting cells: dim CD19, no CD20, brightest CD38 and CD27, large.
    _b(
        "plasmablast",
        ("asc", "plasmablasts"),
        {
            "CD19": (3_300, 0.22),
            "CD20": (150, 0.33),
            "IgD": (60, 0.33),
            "CD27": (15_000, 0.20),
            "CD38": (32_000, 0.15),
            "CD24": (70, 0.30),
            "CD21": (150, 0.33),
            "CD11c": (110, 0.33),
            "CXCR5": (90, 0.33),
            "CD95": (3_300, 0.24),
            "CD45RA": (800, 0.30),
        },
        forward=112_000,
    ),
)

_T: Expression = MappingProxyType({"CD3/CD14": (10_500, 0.13), "CD3": (10_500, 0.12)})
_CD4: Expression = MappingProxyType(
    {**_T, "CD4": (9_500, 0.10), "CD27": (2_600, 0.20), "CD38": (450, 0.36), "CD24": (130, 0.35)}
)
_CD8: Expression = MappingProxyType({**_T, "CD8": (19_000, 0.14), "CD38": (330, 0.36)})
_NOT_REGULATORY: Expression = MappingProxyType(
    {"FoxP3": (75, 0.28), "Helios": (75, 0.28), "GARP": (60, 0.28), "LAP": (65, 0.28)}
)

_CD4_CELLS = (
    CellType(
        "cd4_naive",
        ("t_cells", "cd4"),
        {**_CD4, **_NOT_REGULATORY, "CD45RA": (9_000, 0.17), "CD127": (2_900, 0.19), "CD25": (170, 0.32)},
    ),
    CellType(
        "cd4_memory",
        ("t_cells", "cd4"),
        {
            **_CD4,
            **_NOT_REGULATORY,
            "CD45RA": (200, 0.32),
            "CD127": (2_500, 0.25),
            "CD25": (430, 0.32),
            "CD95": (1_600, 0.24),
            "CXCR5": (130, 0.40),
        },
    ),
    CellType(
        "cd4_helper_follicular",
        ("t_cells", "cd4"),
        {
            **_CD4,
            **_NOT_REGULATORY,
            "CD45RA": (180, 0.30),
            "CD127": (1_900, 0.25),
            "CD25": (350, 0.30),
            "CD95": (1_700, 0.24),
            "CXCR5": (2_200, 0.24),
        },
    ),
    # Activated helper cells take up some FoxP3 and CD25 without being regulatory; blasts in scatter.
    CellType(
        "cd4_activated",
        ("t_cells", "cd4"),
        {
            **_CD4,
            **_NOT_REGULATORY,
            "CD45RA": (180, 0.30),
            "CD127": (1_300, 0.28),
            "CD25": (1_000, 0.28),
            "FoxP3": (230, 0.27),
            "CD38": (2_800, 0.24),
            "CD95": (3_000, 0.22),
        },
        forward=104_000,
        side=38_000,
        autofluorescence=1.5,
    ),
)


def _regulatory(helios: bool, garp: bool, lap: bool) -> CellType:
    """A regulatory T cell; Helios, GARP and LAP are carried or not."""
    populations = ["t_cells", "cd4", "treg", "helios_pos_treg" if helios else "helios_neg_treg"]
    populations += ["garp_pos_treg"] * garp + ["lap_pos_treg"] * lap
    return CellType(
        "treg_" + "_".join(f"{m}{'+' if on else '-'}" for m, on in (("helios", helios), ("garp", garp), ("lap", lap))),
        tuple(populations),
        {
            **_CD4,
            "CD45RA": (330, 0.50),
            "CD25": (4_300, 0.20),
            "CD127": (230, 0.26),
            "FoxP3": (2_300 if helios else 1_700, 0.20),
            "Helios": (1_900, 0.19) if helios else (95, 0.28),
            "GARP": (1_300, 0.22) if garp else (70, 0.28),
            "LAP": (1_300, 0.22) if lap else (75, 0.28),
            "CD95": (2_000, 0.24),
        },
    )


_TREGS = tuple(_regulatory(h, g, lap) for h, g, lap in product((True, False), repeat=3))

_OTHERS = (
    CellType(
        "cd8_naive",
        ("t_cells", "cd8"),
        {**_CD8, "CD27": (3_000, 0.17), "CD45RA": (12_000, 0.15), "CD127": (2_600, 0.20), "Helios": (80, 0.30)},
    ),
    CellType(
        "cd8_memory",
        ("t_cells", "cd8"),
        {
            **_CD8,
            "CD27": (1_600, 0.30),
            "CD45RA": (330, 0.40),
            "CD127": (1_300, 0.40),
            "CD25": (110, 0.30),
            "CD95": (1_700, 0.24),
            "Helios": (85, 0.32),
        },
    ),
    CellType(
        "cd8_effector",
        ("t_cells", "cd8"),
        {
            **_CD8,
            "CD27": (90, 0.30),
            "CD45RA": (7_500, 0.22),
            "CD127": (200, 0.40),
            "CD95": (1_700, 0.26),
            "CD11c": (420, 0.36),
            "Helios": (420, 0.36),
        },
    ),
    CellType("t_double_negative", ("t_cells",), {**_T, "CD27": (900, 0.45), "CD45RA": (900, 0.50)}),
    CellType(
        "natural_killer",
        (),
        {
            "CD38": (2_300, 0.24),
            "CD45RA": (7_500, 0.18),
            "CD8": (700, 0.55),
            "CD11c": (900, 0.36),
            "Helios": (850, 0.30),
            "CD27": (110, 0.38),
            "CD95": (430, 0.30),
        },
        forward=80_000,
        side=35_000,
    ),
    # Basophils, dendritic and other CD19- CD3- cells that fall into a lymphocyte gate's neighbourhood.
    CellType(
        "lineage_negative",
        (),
        {"CD38": (1_500, 0.40), "CD45RA": (900, 0.50), "CD11c": (1_500, 0.55), "CD4": (900, 0.40)},
        forward=92_000,
        side=42_000,
        autofluorescence=1.6,
    ),
    CellType(
        "monocyte",
        (),
        {
            "CD3/CD14": (15_000, 0.18),
            "CD4": (1_600, 0.17),
            "CD11c": (14_000, 0.18),
            "CD38": (1_600, 0.24),
            "CD95": (950, 0.24),
            "CD45RA": (450, 0.35),
            "GARP": (160, 0.30),
            "LAP": (520, 0.30),
            "CD19": (130, 0.30),
            "CD20": (120, 0.30),
            "IgD": (330, 0.30),
        },
        forward=142_000,
        side=92_000,
        autofluorescence=3.2,
    ),
)

#: Every kind of cell; a truth code is a position in this tuple. Append only: shipped truth files refer to it.
CELL_TYPES: tuple[CellType, ...] = (*_B_CELLS, *_CD4_CELLS, *_TREGS, *_OTHERS)

#: Names in code order.
CELL_TYPE_NAMES: tuple[str, ...] = tuple(c.name for c in CELL_TYPES)

#: Cells that a lymphocyte gate is meant to leave out.
NOT_LYMPHOCYTES: frozenset[str] = frozenset({"monocyte"})
