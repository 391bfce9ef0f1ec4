"""Running untrusted programs: isolated, limited, in batches over all cores."""

from engine.programs.sandbox.frames import MAX_INPUTS
from engine.programs.sandbox.sandbox import Sandbox
from engine.programs.sandbox.status import SandboxError, SandboxStatus

__all__ = ["MAX_INPUTS", "Sandbox", "SandboxError", "SandboxStatus"]
