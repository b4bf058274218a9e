"""The compiled gating loops, loaded once in the process that workers are forked from."""

from cytometry.gating.engine import load_compiled

load_compiled()
