"""FCS files: inspect, read, write.

Reading is two steps. The *survey* checks HEADER, TEXT and sizes against each
other and allocates nothing; the *columns* are read from the mapped file when
they are asked for. Both write into one ledger of findings.

Names resolve on first use: who only reads loads neither the writer nor the
second readers.
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytometry.io.fcs.inspect import FcsInspection, inspect_fcs
    from cytometry.io.fcs.read import read_fcs
    from cytometry.io.fcs.write import write_fcs

__all__ = ["FcsInspection", "inspect_fcs", "read_fcs", "write_fcs"]

_HOMES = MappingProxyType(
    {
        "FcsInspection": "cytometry.io.fcs.inspect",
        "inspect_fcs": "cytometry.io.fcs.inspect",
        "read_fcs": "cytometry.io.fcs.read",
        "write_fcs": "cytometry.io.fcs.write",
    }
)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'cytometry.io.fcs' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
