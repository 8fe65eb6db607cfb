"""Run the threads once, one step at a time, in the order that a function chooses.
运行各线程一次，每次一步，次序由一个函数选择。

Only one thread runs at any time. To pass control, the running thread releases the raw lock of the
next thread, and waits for its own lock. Nothing else decides the order.
"""

import _thread
import ctypes
import io
import sys
import threading

from explorer import current
from explorer.current import Unusable
from explorer.shared import is_shared
from explorer.tracer import Tracer
from explorer.worker import Step, Stop, Worker

# After STUCK_AFTER seconds without a step, we consider a thread stuck; after MOST_STEPS steps, we
# consider a run endless.
STUCK_AFTER = 2
MOST_STEPS = 200
# A schedule is unfair if one thread does this many steps in a row while others could go on.
UNFAIR = 50


class Stuck(Unusable):
    """Raised when a thread cannot be stepped or ended; the message says where it is."""


class Stepper:
    """Runs threads, a list of (name, function), step by step."""

    def __init__(self, threads, setup, namespace):
        self.setup, self.namespace = setup, namespace
        self.tracer = Tracer([function for _, function in threads], self.on_touch)
        self.has_probes = self.are_releases_steps = self.is_running = False
        self.done = _thread.allocate_lock()
        self.done.acquire()
        self.is_stopping = False
        self.workers, self.by_ident = [], {}
        self.threads = threads

    def __enter__(self):
        self.tracer.__enter__()
        current.stepper = self
        self.workers = [
            Worker(self, index, name, function)
            for index, (name, function) in enumerate(self.threads)
        ]
        self.by_ident = {worker.thread.ident: worker for worker in self.workers}
        self.stdout, sys.stdout = sys.stdout, io.StringIO()
        self.start, threading.Thread.start = threading.Thread.start, self.start_thread
        return self

    def __exit__(self, *error):
        sys.stdout, threading.Thread.start = self.stdout, self.start
        for worker in self.workers:
            worker.must_end = True
            worker.go.release()
        for worker in self.workers:
            worker.thread.join(0.2)
        self.tracer.__exit__()
        current.stepper = None

    @property
    def start_thread(self):
        """A replacement for Thread.start: an explored thread must not start another thread."""

        def start(thread):
            worker = self.by_ident.get(_thread.get_ident())
            if worker:
                self.unusable = (
                    f"{worker.name}() starts a thread of its own, in line {worker.line}; "
                    "the explorer can step only the functions that it was given"
                )
                raise Unusable(self.unusable)
            self.start(thread)

        return start

    unusable = None

    def worker_of(self, ident):
        return self.by_ident.get(ident)

    def run(self, choose, observe, at_end=lambda: None):
        """Run all threads once.

        choose(indexes of the threads that can go on) returns one of them, or None to end the run.
        observe(worker, step, frame, touch) is called before each step, at_end() after the last one,
        while the threads still wait.
        """
        self.choose, self.observe, self.log, self.names = choose, observe, [], {}
        self.is_running, self.is_stopping, self.is_endless = True, False, False
        self.is_unfair, self.is_looping, self.streak, self.streak_of = False, False, 0, None
        try:
            for primitive in current.lasting:
                primitive._again()
            for worker in self.workers:
                worker.reset()
            self.setup()
            self.unstarted = list(self.workers)
            self.hand_over()
            self.wait_for_end()
            at_end()
        finally:
            self.stop()
            self.is_running = False

    def hand_over(self, me=None):
        """Choose the next thread and let it go on; return True if it is the caller itself (me)."""
        chosen = self.next_worker()
        if chosen is me and me:
            return True
        (chosen.go if chosen else self.done).release()
        return False

    def next_worker(self):
        if self.unstarted:
            return self.unstarted.pop(0)
        enabled = [
            worker.index
            for worker in self.workers
            if not worker.is_over and (not worker.is_ready or worker.is_ready())
        ]
        if len(self.log) >= MOST_STEPS and enabled:
            self.is_endless = True
            return None
        # How many steps one thread has done in a row while others could go on.
        previous = self.log[-1].thread if self.log else None
        self.streak = self.streak + 1 if len(enabled) > 1 and previous == self.streak_of else 0
        self.streak_of = previous
        if self.streak >= UNFAIR:
            self.is_unfair = True
            last = {(step.line, step.verb) for step in self.log[-UNFAIR:]}
            if len(last) <= 8 and not any(verb in ("writes", "calls") for _, verb in last):
                # The thread reads the same values again and again, and they do not change.
                self.is_looping = True
                return None
        try:
            index = self.choose(enabled) if enabled else None
        except BaseException as error:
            # wait_for_end() raises this error again, in the thread that explores.
            self.failure, index = error, None
        return None if index is None else self.workers[index]

    failure = None

    def on_touch(self, frame, touch):
        worker = self.by_ident.get(_thread.get_ident())
        if worker and not worker.is_over:
            if self.is_stopping:
                raise Stop
            worker.line = touch.line
            if is_shared(frame, touch):
                verb = {"read": "reads", "write": "writes", "delete": "deletes", "call": "calls"}[
                    touch.kind
                ]
                self.step(worker, Step(worker.name, touch.line, verb, touch.target), frame, touch)

    def step(self, worker, step, frame, touch=None, is_ready=None):
        """Called by a thread before each step; returns when this thread is chosen to do it."""
        if self.is_stopping:
            raise Stop
        worker.pending, worker.is_ready = step, is_ready
        if not self.hand_over(worker):
            worker.go.acquire()
            if self.is_stopping:
                raise Stop
        worker.is_ready = None
        self.log.append(step)
        try:
            self.observe(worker, step, frame, touch)
        except BaseException as error:
            # wait_for_end() raises this error again, in the thread that explores. An error raised
            # here would look like an error in the student's code.
            self.failure = error
            self.done.release()
            worker.go.acquire()
            raise Stop from None

    def leave(self):
        """Called by a thread at its end."""
        if self.is_stopping:
            self.done.release()
        else:
            self.hand_over()

    def wait_for_end(self):
        steps_before = -1
        while not self.done.acquire(timeout=STUCK_AFTER):
            if len(self.log) == steps_before:
                self.raise_stuck()
            steps_before = len(self.log)
        for worker in self.workers:
            worker.waits_at_end = None if worker.is_over else worker.waits_for
        if self.failure:
            failure, self.failure = self.failure, None
            raise failure

    def raise_stuck(self):
        for worker in self.workers:
            line = self.line_of(worker)
            if line:
                worker.is_stuck = True
                raise Stuck(
                    f"for {STUCK_AFTER} s, {worker.name}() did nothing that the explorer can see; "
                    f"it is in line {line}"
                )
        raise Stuck(f"for {STUCK_AFTER} s, no thread did anything that the explorer can see")

    def line_of(self, worker):
        """Return the line that a thread is executing; None if it waits in a step or has ended."""
        frame, line = sys._current_frames().get(worker.thread.ident), None
        while frame:
            if frame.f_code is Worker.step_on.__code__ or frame.f_code is Stepper.step.__code__:
                return None
            if line is None and frame.f_code.co_filename in self.tracer.files:
                line = frame.f_lineno
            frame = frame.f_back
        return line

    def stop(self):
        """End the remaining threads, one after the other."""
        self.is_stopping = True
        for worker in self.workers:
            if worker.is_over or worker in self.unstarted:
                continue
            if worker.is_stuck:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(worker.thread.ident), ctypes.py_object(Stop)
                )
            else:
                worker.go.release()
            # On a busy machine, a thread may need long to see that it must end. Only one that is
            # still in the student's code goes on in spite of that.
            while not (self.done.acquire(timeout=STUCK_AFTER / 2) and worker.is_over):
                if worker.is_stuck or self.line_of(worker):
                    break
            if not worker.is_over and not worker.is_stuck:
                raise Stuck(
                    f"{worker.name}() catches every exception, so it cannot be ended: "
                    "use `except Exception`"
                )

    unstarted = ()
