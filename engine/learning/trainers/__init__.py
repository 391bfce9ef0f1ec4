"""Trainers: a dataset and a base model in, a checkpoint that a policy can load out (SOAR §8)."""
