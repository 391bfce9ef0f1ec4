"""The terminal's side of the house: command line and app, looking through the archive's window."""

__version__ = "0.1.0"
