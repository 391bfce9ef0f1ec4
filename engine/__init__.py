"""The SOAR loop as a crash-safe process of its own: tasks, programs, search, archive, control."""
