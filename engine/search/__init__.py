"""Searching one task: sampling waves, the REX bandit over refinements, and the weighted vote."""
