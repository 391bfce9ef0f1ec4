"""The app's places, one module each: what it asks of a run, and how the answer is shown."""
