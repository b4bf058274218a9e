"""GatingML 2.0: gates that any program can read (Spidlen et al. 2015, Cytometry A 87:683)."""

from cytometry.io.gatingml.read import parse_gatingml, read_gatingml
from cytometry.io.gatingml.write import gatingml_bytes, write_gatingml

__all__ = ["gatingml_bytes", "parse_gatingml", "read_gatingml", "write_gatingml"]
