"""The embedded policy: programs composed from primitives, constants fitted to demonstrations."""
