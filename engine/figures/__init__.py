"""Figures of runs as tables and curves: the same words for command line, app and report."""
