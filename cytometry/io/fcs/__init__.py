"""FCS files: inspect, read, write.

Reading is two steps. The *survey* checks HEADER, TEXT and sizes against each
other and allocates nothing; the *columns* are read from the mapped file when
they are asked for. Both write into one ledger of findings.
"""

from cytometry.io.fcs.inspect import FcsInspection, inspect_fcs
from cytometry.io.fcs.read import read_fcs
from cytometry.io.fcs.write import write_fcs

__all__ = ["FcsInspection", "inspect_fcs", "read_fcs", "write_fcs"]
