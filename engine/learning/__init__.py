"""Turning a run's memory into training data, and training data into a better policy (SOAR §7)."""
