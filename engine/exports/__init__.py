"""What leaves a run: training data, tables, pictures, reports, curves, all read from its archive."""
