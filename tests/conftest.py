"""What holds for all tests: properties are not timed, speed is measured in tests/benchmarks."""

import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Started by nohup, or in the background of a shell without job control, a process is deaf to these,
# and so would be every program that a test starts to send them to.
for deaf_to, default in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(deaf_to) is signal.SIG_IGN:
        signal.signal(deaf_to, default)
