"""FlowJo workspaces: the gates a lab drew there, and the counts FlowJo found."""

from cytometry.io.flowjo.read import parse_workspace, read_workspace
from cytometry.io.flowjo.workspace import Workspace, WorkspaceSample

__all__ = ["Workspace", "WorkspaceSample", "parse_workspace", "read_workspace"]
