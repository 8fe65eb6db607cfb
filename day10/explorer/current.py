"""What is explored at present: the primitives ask here which thread is running, and hand over here.
正在探索什么：各原语在这里询问哪个线程在运行，并在这里交出执行权。"""

import threading


class Unusable(Exception):
    """What was given cannot be explored; the message says why."""


ANOTHER_WAY = (
    "the same schedule went another way when it was run again: something else than the "
    "schedule decides, such as the time, a random number, or a value that setup() does not set"
)

# The Stepper that explores, if any, and the primitives that were made outside its runs.
stepper = None
lasting = []


def worker():
    return stepper and stepper.worker_of(threading.get_ident())


def thread():
    """The name of the running thread; of setup and check it is "main"."""
    return worker().name if worker() else "main"


def line():
    return worker().line if worker() else 0


def made(primitive):
    if stepper is None or not stepper.is_running:
        lasting.append(primitive)
    elif worker():
        # Two threads that each make a lock: they are told apart by the maker and by how many it
        # has made.
        primitive._made_by = worker().name


def step(verb, primitive):
    """Hand over before the thread does this."""
    if worker():
        worker().step_on(verb, primitive)


def wait(verb, primitive, is_ready):
    """Let the others run until is_ready(); without is_ready, this thread may go on at any time."""
    if worker():
        worker().step_on(verb, primitive, is_ready, True)
    else:
        raise RuntimeError(
            "setup() and check() run alone, so this wait would never end: "
            + type(primitive).__name__
        )


def probes(is_probing):
    """A thread asks for a lock without waiting: then it matters when exactly a lock is released."""
    if is_probing and stepper:
        stepper.has_probes = True


def are_releases_steps():
    return stepper is not None and stepper.are_releases_steps


def is_stopping():
    """The run is over, and its threads are being ended."""
    return stepper is not None and stepper.is_running and stepper.is_stopping
