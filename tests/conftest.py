"""What holds for all tests: properties are not timed, speed is measured in tests/benchmarks."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
