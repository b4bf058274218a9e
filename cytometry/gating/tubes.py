"""A tube as placing sees it: events and opaque group keys, nothing of visit, arm or clinic."""

from __future__ import annotations

from dataclasses import dataclass

from cytometry.model.sample import Sample
from cytometry.model.spillover import Spillover
from cytometry.preprocessing.dimensions import ChannelMap

FMO = "fmo:"
SAMPLE, CONTROL = "sample", "control"


@dataclass(frozen=True, eq=False)
class Tube:
    """One tube of a group that is placed together.

    Parameters
    ----------
    key
        Unique; results refer to it.
    sample, channel_map
        Events, and the channels of the panel's markers.
    subject_group, batch_group
        Opaque keys: tubes of one subject, tubes stained and acquired together.
    role
        ``sample``, ``control`` (the bridging control), ``fmo:<marker>``; others are ignored.
    file_compensation
        What ``FCS`` means where a study replaces the matrix of the file.
    other_batches
        The subject has tubes in batches that are not placed together with this one.
    is_masked
        Whether stretches of unsteady flow or signal are left out, or only reported.
    """

    key: str
    sample: Sample
    channel_map: ChannelMap
    subject_group: str | None = None
    batch_group: str | None = None
    role: str = SAMPLE
    file_compensation: Spillover | None = None
    other_batches: bool = False
    is_masked: bool = True

    @property
    def order(self) -> tuple[str, str]:
        """Where it stands among others: by what the file holds, so that names do not even decide a rounding."""
        return (self.sample.sha256, self.key)

    @property
    def is_gated(self) -> bool:
        """Whether it gets a strategy of its own."""
        return self.role in (SAMPLE, CONTROL)
