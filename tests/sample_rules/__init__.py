"""The rules of the sample tasks: what proves that every file in `sample_tasks/` is right.

Each task is one function from an input grid to its output, with a function that draws inputs.
`python -m tests.sample_rules` draws all files anew from a fixed seed.
"""
