"""Write panel folders: what ``panel new`` and ``panel freeze`` leave behind."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import BaseModel

from cytometry.errors import OutputError, RequestError
from cytometry.io.atomic import write_atomically
from cytometry.io.panels import DRAWN_FILE, PANEL_FILE, TEMPLATE_FILE
from cytometry.model.panel import PANEL_NAME, PanelFile
from cytometry.model.strategy import GatingStrategy
from cytometry.model.template import GatingTemplate


def panel_name(folder: Path) -> str:
    """The name that a panel in this folder has: the folder's own, also where it is given as ``.``.

    Raises
    ------
    RequestError
        A panel cannot be called so.
    """
    name = folder.resolve().name
    if not re.fullmatch(PANEL_NAME, name):
        raise RequestError(
            f"the folder is called '{name}', which is no panel name",
            where=str(folder),
            hint="letters, digits, _ . -, starting with a letter",
        )
    return name


def write_panel(folder: Path, described: PanelFile, strategy: GatingTemplate | GatingStrategy, readme: str) -> None:
    """Write ``panel.yaml``, the strategy and a README into a folder that holds no panel yet.

    Raises
    ------
    OutputError
        The folder holds one: a panel is never overwritten, it gets a new version.
    """
    for name in (PANEL_FILE, TEMPLATE_FILE, DRAWN_FILE):
        if (folder / name).exists():
            raise OutputError(f"holds {name} already", where=str(folder), hint="give the new panel a folder of its own")
    if isinstance(strategy, GatingTemplate):
        write_atomically(folder / TEMPLATE_FILE, _yaml(strategy))
    else:
        from cytometry.io.gatingml import gatingml_bytes

        write_atomically(folder / DRAWN_FILE, gatingml_bytes(strategy))
    write_atomically(folder / "README.md", readme.encode())
    write_atomically(folder / PANEL_FILE, _yaml(described))


def _yaml(model: BaseModel) -> bytes:
    # Schema version and method names are defaults of the models, and the file needs them.
    content = model.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=118).encode()
