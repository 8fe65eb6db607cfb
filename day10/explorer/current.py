"""The current exploration: primitives ask it which thread runs, and pass control through it.
正在探索什么：各原语在这里询问哪个线程在运行，并在这里交出执行权。"""

import threading


class Unusable(Exception):
    """Raised when the explorer cannot explore a program; the message says why."""


ANOTHER_WAY = (
    "the same schedule ran differently the second time: the result depends on something other than "
    "the schedule, such as the time, a random number, or a value that setup() does not set"
)

# The current Stepper, if any, and the primitives that were made outside its runs.
stepper = None
lasting = []


def worker():
    return stepper and stepper.worker_of(threading.get_ident())


def thread():
    """Return the name of the running thread; "main" in setup and check."""
    return worker().name if worker() else "main"


def line():
    return worker().line if worker() else 0


def made(primitive):
    if stepper is None or not stepper.is_running:
        lasting.append(primitive)


def step(verb, primitive):
    """Let the stepper choose a thread; return when this thread may do the step."""
    if worker():
        worker().step_on(verb, primitive)


def wait(verb, primitive, is_ready):
    """Let other threads run until is_ready() returns True. If is_ready is None, this thread may go
    on at any time: the wait has a timeout. In setup and check, its time is up immediately."""
    if worker():
        worker().step_on(verb, primitive, is_ready, True)
    elif is_ready is not None:
        raise RuntimeError(
            "no other thread runs during setup() and check(), so this wait would never end: "
            + type(primitive).__name__
        )


def probes(is_probing):
    """If is_probing, note that the program can find a lock held and go on without it, or find that
    another thread has released it.

    What the program does then depends on when the lock is released, so each release is a step too.
    """
    if is_probing and stepper:
        stepper.has_probes = True


def are_releases_steps():
    return stepper is not None and stepper.are_releases_steps


def is_stopping():
    """Return True when the run is over and the stepper is ending its threads."""
    return stepper is not None and stepper.is_running and stepper.is_stopping
