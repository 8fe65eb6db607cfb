"""One of the explored threads, and a step that it does.
被探索的一个线程，以及它做的一步。"""

import _thread
import sys
import threading
from dataclasses import dataclass, field

from explorer import steps


class Stop(BaseException):
    """Ends a thread of a run that is over."""


@dataclass
class Step:
    """A step that was done. after: the shared values behind it, as text, if they were asked for."""

    thread: str
    line: int
    verb: str
    what: str
    value: object = steps.MISSING
    after: dict = field(default_factory=dict)


class Worker:
    """One of the explored threads. It is used again for every run."""

    def __init__(self, stepper, index, name, function):
        self.stepper, self.index, self.name, self.function = stepper, index, name, function
        self.go = _thread.allocate_lock()
        self.go.acquire()
        self.reset()
        self.thread = threading.Thread(target=self.live, name=f"explored {name}", daemon=True)
        self.thread.start()

    def reset(self):
        """Before each run."""
        self.line = self.function.__code__.co_firstlineno
        # The Step that it would do next, and what must be true before it can.
        self.pending = self.is_ready = None
        # What it waits for, at present and when the run ended.
        self.waits_for = self.waits_at_end = None
        # For states: what it has seen, and whether it may hold a list that others change.
        self.history, self.is_blind = None, False
        self.error, self.is_over, self.must_end, self.is_stuck = None, False, False, False

    def live(self):
        while True:
            self.go.acquire()
            if self.must_end:
                return
            try:
                self.stepper.tracer.trace_this_thread()
                self.function()
            except Stop:
                pass
            except BaseException as error:
                # A thread that is being ended may raise anything.
                self.error = None if self.stepper.is_stopping else error
            finally:
                sys.settrace(None)
            self.is_over = True
            self.stepper.leave()

    def step_on(self, verb, primitive, is_ready=None, is_wait=False):
        """A step on a lock or the like: hand over first."""
        frame = sys._getframe(1)
        while frame and frame.f_code not in self.stepper.tracer.codes:
            frame = frame.f_back
        self.line = frame.f_lineno if frame else self.line
        self.waits_for = primitive if is_wait else None
        self.stepper.step(self, Step(self.name, self.line, verb, primitive), frame, None, is_ready)
        self.waits_for = None
