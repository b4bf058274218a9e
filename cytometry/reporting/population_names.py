"""What people call a population: names of the canonical ids, the panel's label as an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cytometry.reporting.inputs import ReportInputs

CANONICAL_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "root": "All events",
        "b_cells": "B cells",
        "b_non_asc": "B cells without ASC",
        "asc": "Antibody-secreting cells",
        "naive": "Naive B",
        "unswitched_memory": "Unswitched memory B",
        "switched_memory": "Switched memory B",
        "double_negative": "Double negative B",
        "transitional": "Transitional B",
        "activated_naive": "Activated naive B",
        "cd24_neg_cd38_neg_naive_like": "CD24− CD38− naive-like B",
        "naive_like": "Naive-like B",
        "resting_naive": "Resting naive B",
        "dn1": "DN1",
        "dn2": "DN2",
        "dn3": "DN3",
        "dn4": "DN4",
        "plasmablasts": "Plasmablasts",
        "t_cells": "T cells",
        "cd4": "CD4 T",
        "cd8": "CD8 T",
        "treg": "Treg",
        "helios_pos_treg": "Helios+ Treg",
        "helios_neg_treg": "Helios− Treg",
        "garp_pos_treg": "GARP+ Treg",
        "lap_pos_treg": "LAP+ Treg",
        "time_ok": "Steady flow",
        "singlets": "Singlets",
        "live": "Live",
        "lymphocytes": "Lymphocytes",
    }
)


def population_name(name: str) -> str:
    """Name for people; an id that is not canonical is shown as words.

    >>> population_name("double_negative"), population_name("my_gate")
    ('Double negative B', 'my gate')
    """
    return CANONICAL_NAMES.get(name, name.replace("_", " "))


def population_labels(inputs: ReportInputs) -> dict[str, str]:
    """The panels' own labels: how a population is gated, where that is not its name again."""
    labels: dict[str, str] = {}
    for panel in inputs.panels.values():
        for population in panel.strategy.populations:
            if population.label and population.label.lower() not in population_name(population.name).lower():
                labels.setdefault(population.name, population.label)
    return labels
