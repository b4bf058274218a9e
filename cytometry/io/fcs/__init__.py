"""FCS files: inspect, read, write."""

from cytometry.io.fcs.read import read_fcs
from cytometry.io.fcs.write import write_fcs

__all__ = ["read_fcs", "write_fcs"]
