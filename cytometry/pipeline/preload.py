"""What every worker needs, imported once in the process that workers are forked from."""

import cytometry.pipeline.gate_group  # noqa: F401
