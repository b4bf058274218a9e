"""Gates as files define them, read once per process and not once per group or sample.

The digest belongs to the key: a file that changes under a running program is read again.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cytometry.model.strategy import GatingStrategy

if TYPE_CHECKING:
    from cytometry.io.flowjo.workspace import Workspace
    from cytometry.model.panel import Panel


@lru_cache(maxsize=8)
def panel_of(path: Path, digest: str) -> Panel:
    """A panel folder.

    Raises
    ------
    PanelError
        It is wrong.
    """
    from cytometry.io.panels import load_panel

    return load_panel(path)


@lru_cache(maxsize=4)
def drawn_gates(path: Path, digest: str) -> GatingStrategy:
    """A GatingML file.

    Raises
    ------
    StrategyError
        It is wrong.
    """
    from cytometry.io.gatingml import read_gatingml

    return read_gatingml(path)


@lru_cache(maxsize=2)
def workspace_of(path: Path, digest: str) -> Workspace:
    """A FlowJo workspace or FACSDiva experiment.

    Raises
    ------
    StrategyError
        It is wrong.
    """
    from cytometry.io.flowjo import read_workspace

    return read_workspace(path)
