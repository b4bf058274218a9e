"""Which function places which rule. A new method is a rule in ``model/rules.py``, a file here, and a line below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cytometry.gating.methods.anchor import place_anchor
from cytometry.gating.methods.boundary import place_boundary
from cytometry.gating.methods.cluster_ellipse import place_cluster_ellipse
from cytometry.gating.methods.evidence import CutEvidence, CutPosition, ShapeEvidence, ShapePosition
from cytometry.gating.methods.fixed import place_fixed
from cytometry.gating.methods.fmo_percentile import place_fmo_percentile
from cytometry.gating.methods.mixture import place_mixture
from cytometry.gating.methods.quantile import place_quantile
from cytometry.gating.methods.same_as import place_same_as
from cytometry.gating.methods.scatter_cloud import place_scatter_cloud
from cytometry.gating.methods.singlet_band import place_singlet_band
from cytometry.gating.methods.tail import place_tail
from cytometry.gating.methods.time import place_time
from cytometry.gating.methods.valley import place_valley
from cytometry.model.gates import Dimension

CutMethod = Callable[[Any, CutEvidence], CutPosition]
ShapeMethod = Callable[[Any, ShapeEvidence, tuple[Dimension, ...]], ShapePosition]

CUT_METHODS: Mapping[str, CutMethod] = MappingProxyType(
    {
        "valley": place_valley,
        "mixture": place_mixture,
        "tail": place_tail,
        "quantile": place_quantile,
        "fmo_percentile": place_fmo_percentile,
        "anchor": place_anchor,
        "same_as": place_same_as,
        "fixed": place_fixed,
    }
)

SHAPE_METHODS: Mapping[str, ShapeMethod] = MappingProxyType(
    {
        "time": place_time,
        "singlet_band": place_singlet_band,
        "scatter_cloud": place_scatter_cloud,
        "cluster_ellipse": place_cluster_ellipse,
        "boundary": place_boundary,
    }
)
