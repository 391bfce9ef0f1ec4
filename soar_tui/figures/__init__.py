"""Figures of runs as tables and curves: the same words on the command line and in the app."""
