"""The documentation is true: its commands run, its examples work, its reference is not stale."""
