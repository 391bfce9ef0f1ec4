"""The embedded policy: programs composed from primitives, constants fitted to demonstrations."""

from engine.policies.grammar.policy import GrammarPolicy

__all__ = ["GrammarPolicy"]
