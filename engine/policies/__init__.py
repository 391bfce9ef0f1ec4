"""Policies propose programs; a new kind of policy is one new module behind one protocol."""

from engine.policies.protocol import Policy, PolicyError, PolicyStatus, Proposal

__all__ = ["Policy", "PolicyError", "PolicyStatus", "Proposal"]
