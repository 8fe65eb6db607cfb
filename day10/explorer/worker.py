"""One of the explored threads, and a step that it does.
被探索的一个线程，以及它做的一步。"""

import _thread
import sys
import threading
from dataclasses import dataclass, field

from explorer import steps


class Stop(BaseException):
    """Raised in a thread to end it when its run is over."""


@dataclass
class Step:
    """A step of a thread. after (set only by Replay): the shared values after the step, as text."""

    thread: str
    line: int
    verb: str
    what: str
    value: object = steps.MISSING
    after: dict = field(default_factory=dict)


class Worker:
    """One of the explored threads. The same Worker serves all runs."""

    def __init__(self, stepper, index, name, function):
        self.stepper, self.index, self.name, self.function = stepper, index, name, function
        self.go = _thread.allocate_lock()
        self.go.acquire()
        self.reset()
        self.thread = threading.Thread(target=self.live, name=f"explored {name}", daemon=True)
        self.thread.start()

    def reset(self):
        """Prepare for the next run."""
        self.line = self.function.__code__.co_firstlineno
        # The next Step of the thread, and a function that says whether the thread can do it now.
        self.pending = self.is_ready = None
        # What the thread waits for now, and what it waited for when the run ended.
        self.waits_for = self.waits_at_end = None
        # For states.py: what the thread has seen; whether it may hold a list that others change.
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
            except (Stop, SystemExit):
                pass  # sys.exit() in a thread ends only that thread, without a message
            except BaseException as error:
                # An error in a thread that the stepper is ending does not count.
                self.error = None if self.stepper.is_stopping else error
            finally:
                sys.settrace(None)
            self.is_over = True
            self.stepper.leave()

    def step_on(self, verb, primitive, is_ready=None, is_wait=False):
        """Announce a step on a lock or the like; return when the stepper chooses this thread."""
        tracer = self.stepper.tracer
        tracer.trace_this_thread(False)
        frame = sys._getframe(1)
        while frame and frame.f_code not in tracer.codes:
            frame = frame.f_back
        self.line = frame.f_lineno if frame else self.line
        self.waits_for = primitive if is_wait else None
        step = Step(self.name, self.line, verb, primitive)
        try:
            self.stepper.step(self, step, frame, None, is_ready)
        finally:
            tracer.trace_this_thread()
        self.waits_for = None
