"""From the fractions that a paper reports to the shares of cell types in a tube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import product

from cytometry.errors import RequestError


@dataclass(frozen=True)
class Blood:
    """Composition of one specimen as fractions of named parents, all in 0..1.

    The defaults are the demo study's baseline in active lupus. Medians follow published tables where there are any;
    B cells (8 % of lymphocytes in lupus) and transitional cells (2 % of B cells) are raised, so that
    tubes of 8,000 events hold enough of them: demo assumptions.
    """

    monocytes: float = 0.06
    """Of all cells."""
    b_cells: float = 0.35
    """Of lymphocytes, like the next four."""
    cd4: float = 0.36
    cd8: float = 0.15
    t_double_negative: float = 0.02
    lineage_negative: float = 0.02
    transitional: float = 0.04
    """Of B cells, like the next four."""
    unswitched_memory: float = 0.06
    switched_memory: float = 0.17
    double_negative: float = 0.13
    asc: float = 0.03
    activated_naive: float = 0.15
    """Of IgD+ CD27- B cells."""
    late_transitional: float = 0.06
    """Of resting naive B cells."""
    activated_switched: float = 0.15
    """Of switched memory."""
    dn1: float = 0.30
    """Of double negative cells, like the next two; the rest is DN4."""
    dn2: float = 0.42
    dn3: float = 0.16
    treg: float = 0.075
    """Of CD4+ T cells, like the next three; the rest is memory."""
    cd4_naive: float = 0.36
    cd4_follicular: float = 0.08
    cd4_activated: float = 0.03
    helios: float = 0.70
    """Of regulatory T cells, like the next two."""
    garp: float = 0.14
    lap: float = 0.16

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not 0.0 <= value <= 1.0:
                raise RequestError(f"{f.name} is {value:.4g}", where="Blood", hint="give a fraction between 0 and 1")

    @property
    def naive(self) -> float:
        """IgD+ CD27- cells, transitional included, of B cells."""
        return 1.0 - self.unswitched_memory - self.switched_memory - self.double_negative - self.asc

    def fraction_of_b(self, population: str) -> float:
        """True fraction of B cells that a canonical population makes up.

        Raises
        ------
        RequestError
            The population is not a subset of B cells.
        """
        dn = self.double_negative
        table = {
            "naive": self.naive,
            "transitional": self.transitional,
            "activated_naive": self.naive * self.activated_naive,
            "resting_naive": self.naive * (1 - self.activated_naive) - self.transitional,
            "unswitched_memory": self.unswitched_memory,
            "switched_memory": self.switched_memory,
            "double_negative": dn,
            "dn1": dn * self.dn1,
            "dn2": dn * self.dn2,
            "dn3": dn * self.dn3,
            "dn4": dn * (1 - self.dn1 - self.dn2 - self.dn3),
            "asc": self.asc,
            "plasmablasts": self.asc,
        }
        if population not in table:
            raise RequestError(f"'{population}' is no subset of B cells", hint=f"subsets: {', '.join(table)}")
        return table[population]

    def cell_shares(self) -> Mapping[str, float]:
        """Share of each cell type among all cells, for a :class:`~cytometry.simulation.tubes.TubeSpec`.

        Raises
        ------
        RequestError
            The fractions leave less than nothing for the remainder of a parent.
        """
        lymphocytes = 1.0 - self.monocytes
        b = lymphocytes * self.b_cells
        cd4 = lymphocytes * self.cd4
        cd8 = lymphocytes * self.cd8
        resting = self.fraction_of_b("resting_naive")
        shares = {
            "transitional": b * self.transitional,
            "late_transitional": b * resting * self.late_transitional,
            "resting_naive": b * resting * (1 - self.late_transitional),
            "activated_naive": b * self.fraction_of_b("activated_naive"),
            "unswitched_memory": b * self.unswitched_memory,
            "switched_memory": b * self.switched_memory * (1 - self.activated_switched),
            "activated_switched_memory": b * self.switched_memory * self.activated_switched,
            **{name: b * self.fraction_of_b(name) for name in ("dn1", "dn2", "dn3", "dn4")},
            "plasmablast": b * self.asc,
            "cd4_naive": cd4 * self.cd4_naive,
            "cd4_memory": cd4 * (1 - self.cd4_naive - self.cd4_follicular - self.cd4_activated - self.treg),
            "cd4_helper_follicular": cd4 * self.cd4_follicular,
            "cd4_activated": cd4 * self.cd4_activated,
            **{name: cd4 * self.treg * share for name, share in self._treg_shares().items()},
            "cd8_naive": cd8 * 0.35,
            "cd8_memory": cd8 * 0.35,
            "cd8_effector": cd8 * 0.30,
            "t_double_negative": lymphocytes * self.t_double_negative,
            "lineage_negative": lymphocytes * self.lineage_negative,
            "monocyte": self.monocytes,
        }
        shares["natural_killer"] = 1.0 - sum(shares.values())
        negative = sorted(name for name, share in shares.items() if share < -1e-12)
        if negative:
            raise RequestError(
                f"nothing is left for {', '.join(negative)}", where="Blood", hint="lower the fractions beside it"
            )
        return {name: max(share, 0.0) for name, share in shares.items()}

    def _treg_shares(self) -> Mapping[str, float]:
        """GARP and LAP form one complex: together in half of the rarer one, in more where there is no room."""
        both = max(0.5 * min(self.garp, self.lap), self.garp + self.lap - 1.0)
        activation = {
            (True, True): both,
            (True, False): self.garp - both,
            (False, True): self.lap - both,
            (False, False): 1.0 - self.garp - self.lap + both,
        }
        return {
            f"treg_helios{'+' if h else '-'}_garp{'+' if g else '-'}_lap{'+' if a else '-'}": activation[g, a]
            * (self.helios if h else 1.0 - self.helios)
            for h, g, a in product((True, False), repeat=3)
        }
