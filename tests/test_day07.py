"""Test the scripts of day 7 (processes) from outside: each one must show its fact."""
import os
import re
import signal
import sys

import course
import harness
import pytest
from course import output_of
from harness import ROOT, Program, run, state_of, wait_until

# Options of run() for code that imports a script of this day, changes something in it, and runs it.
CHANGED = {"cwd": ROOT / "day07", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}

# test_course.py checks that each script prints what its docstring shows. The tests here check the numbers.


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_fork():
    lines = output_of("day07/fork.py").splitlines()
    [parent] = numbers(lines[0])
    child, zero = numbers(lines[1])
    assert zero == 0 and child != parent
    assert numbers(lines[2]) == [child]
    assert numbers(lines[3]) == [parent, child]
    assert numbers(lines[4]) == [parent]


def test_fork_that_fails_is_an_oserror():
    """Run the script as a user that may create no more processes. (The limit does not apply to root.)"""
    code = f"""if True:
        import contextlib, os, resource, signal, sys
        with open({str(ROOT / "day07/fork.py")!r}, encoding="utf-8") as file:
            program = compile(file.read(), file.name, "exec")
        with contextlib.suppress(PermissionError):
            os.setuid(65534)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        exec(program)"""
    program = run(sys.executable, "-c", code, status=1, stderr=r"fork raised BlockingIOError: \[Errno 11\] .*\n")
    assert len(program.stdout.splitlines()) == 1


def test_fork1():
    output_of("day07/fork1.py")


def test_get_pid():
    lines = output_of("day07/get_pid.py").splitlines()
    parent, ours = numbers(lines[0])
    assert ours == os.getpid()                     # this process started the script
    child, its_parent = numbers(lines[1])
    assert its_parent == parent
    assert numbers(lines[2]) == [child]


def test_exit():
    output_of("day07/exit.py")


def test_exit_says_on_windows_what_it_needs():
    """Windows keeps 32 bits of an exit status, so os._exit(256) ends with 256."""
    program = run(sys.executable, "-c", "import sys, exit; sys.platform = 'win32'; exit.main()", status=2,
                  stderr="this needs exit statuses of 8 bits: [^\n]+\n", **CHANGED)
    assert not program.stdout


def test_exit_is_the_same_in_any_environment_and_says_what_it_sees():
    """PYTHONUNBUFFERED changes nothing, and the script fails if a result is not the expected one."""
    assert run("day07/exit.py", env={"PYTHONUNBUFFERED": "1"}).stdout == output_of("day07/exit.py")
    run(sys.executable, "-c", "import exit; exit.show('os._exit(3)', (4, '-', '-'))", status=1,
        stderr=r"(?s).*AssertionError: os._exit\(3\): expected \(4, .*, got \(3, '-', '-'\)\n", **CHANGED)


def test_wait():
    lines = output_of("day07/wait.py").splitlines()
    child, status = numbers(lines[1])[:2]
    assert numbers(lines[0]) == [child, 3] and status == 3 << 8
    child, status = numbers(lines[3])[:2]
    assert numbers(lines[2]) == [child] and status == 9


def test_child():
    lines = output_of("day07/child.py").splitlines()
    parent, middle = numbers(lines[0])
    assert numbers(lines[1]) == [parent, 0]
    # The nearest subreaper above the grandchild is this process.
    grandchild = numbers(lines[3])[0]
    assert numbers(lines[3]) == [grandchild, 1, os.getpid()]
    assert numbers(lines[5]) == [grandchild, 2, os.getpid()]
    assert len({parent, middle, grandchild}) == 3
    assert [numbers(line)[0] for line in (lines[2], lines[4], lines[6])] == [parent] * 3


def test_zombie():
    output_of("day07/zombie.py")


def test_orphan():
    lines = output_of("day07/orphan.py").splitlines()
    child, parent = numbers(lines[0])
    assert numbers(lines[1]) == [parent]
    # The nearest subreaper above the orphan is this process, which also reaps it: orphans=1.
    assert numbers(lines[2]) == [child, os.getpid()]
    assert numbers(lines[3])[0] == os.getpid()


def test_orphan_has_a_parent_that_lives_until_it_is_killed_but_not_for_ever():
    run(sys.executable, "-c", f"""if True:
        import os, sys, orphan
        sys.path.insert(0, {str(ROOT / "tests")!r})
        from harness import state_of
        ask, sleep, parents = orphan.ask, orphan.time.sleep, []
        def ask_later(line):
            parents.append(ask(line))
            while len(parents) == 1 and (state := state_of(parents[0])) not in ("S", "Z"):
                os.sched_yield()
            assert len(parents) > 1 or state == "S", "the parent has ended by itself"
            return parents[-1]
        # If the script is killed before that, the parent ends after 10 seconds.
        orphan.ask, orphan.time.sleep = ask_later, lambda seconds: seconds == 10 and sleep(seconds)
        orphan.main()
        """, orphans=1, **CHANGED)


def test_zombie_cannot_be_killed():
    run(sys.executable, "-c", """if True:
        import os, signal, zombie
        kill, killed = os.kill, []
        os.kill = lambda pid, signum: killed.append(signum) or kill(pid, signum)
        zombie.main()
        assert killed == [signal.SIGKILL]
        """, **CHANGED)


def test_sigchld():
    output_of("day07/sigchld.py")


def test_sigchld_waits_until_the_kernel_has_removed_the_child():
    """When a child's parent ignores SIGCHLD, waitpid can return a moment before the child is gone."""
    program = run(sys.executable, "-c", """if True:
        import os, sigchld
        kill, asked = os.kill, []
        def kill_that_finds_it_twice(pid, signum):
            asked.append(signum)
            return len(asked) <= 2 or kill(pid, signum)
        os.kill = kill_that_finds_it_twice
        sigchld.main()
        assert set(asked) == {0} and len(asked) >= 3
        """, **CHANGED)
    assert "kill raised ProcessLookupError" in program.stdout


def test_sigchld_handler():
    output_of("day07/sigchld_handler.py")


def test_sigchld_handler_reaps_what_has_ended_and_waits_for_no_other_child():
    run(sys.executable, "-c", """if True:
        import os, sigchld_handler
        reader, writer = os.pipe()
        running = os.fork()
        if running == 0:
            os.close(writer)
            os.read(reader, 1)                     # until the parent closes the pipe, or ends
            os._exit(0)
        ended = os.fork() or os._exit(4)
        os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
        sigchld_handler.reap(None, None)
        assert sigchld_handler.statuses == [4], sigchld_handler.statuses
        os.close(writer)
        os.waitpid(running, 0)
        sigchld_handler.reap(None, None)
        assert sigchld_handler.statuses == [4] and len(sigchld_handler.calls) == 2, sigchld_handler.statuses
        """, **CHANGED)


def test_sigchld_handler_says_that_it_needs_waitid(tmp_path):
    """On macOS, Python 3.12 and older have no os.waitid."""
    (tmp_path / "sitecustomize.py").write_text("import os; del os.waitid")
    program = run("day07/sigchld_handler.py", status=2, stderr="this needs os.waitid: [^\n]+\n", env={"PYTHONPATH": str(tmp_path)})
    assert program.stdout == ""


def test_sigchld_ignored_too_late_leaves_the_zombie():
    """A zombie that exists before SIGCHLD is ignored remains, and can still be reaped."""
    assert run(sys.executable, "-c", """if True:
        import os, signal
        pid = os.fork()
        if pid == 0:
            os._exit(7)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        with open(f"/proc/{pid}/stat") as stat:
            print(stat.read().split()[2])
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))""").stdout == "Z\n7\n"


def test_process_states():
    output_of("day07/process_states.py")


def test_process_states_d_can_be_ended_by_sigkill(tmp_path):
    """SIGKILL can end some waits in state D. Here the process waits until its new child, which still shares its memory (vfork),
    runs another program. The child first opens a FIFO, and waits for a writer."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Program(sys.executable, "-c", f"""if True:
            import os
            os.posix_spawn("/bin/true", ["true"], {{}}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, {str(fifo)!r}, os.O_RDONLY, 0)])
            """) as program:
        harness.wait_until(lambda: program.children() and harness.state_of(program.pid) == "D",
                           lambda: f"state {harness.state_of(program.pid)}")
        program.signal(signal.SIGKILL)
        assert program.wait() == -signal.SIGKILL
        os.close(os.open(fifo, os.O_WRONLY))       # now the child ends too
        assert all(harness.reap(pid, harness.TIMEOUT) for pid in harness.adopted_by_us())


@pytest.mark.parametrize("line", ["ready", "stopped"])
def test_process_states_leaves_nothing_when_it_is_interrupted(line):
    with Program("day07/process_states.py", tty=True) as program:      # on a terminal, each line comes at once
        program.expect(line)
        program.interrupt()
        program.wait()
        assert all(harness.reap(pid, harness.TIMEOUT) for pid in harness.adopted_by_us())


def test_process_states_ctrl_c_is_not_for_the_children():
    """A child that gets the terminal's SIGINT ends without printing anything. Here the parent waits for this end."""
    with Program(sys.executable, "-c", "import process_states as p; p.show('', '', 'Z (zombie)', p.sleep)", **CHANGED) as program:
        wait_until(lambda: [state_of(pid) for pid in program.children()] == ["S"], lambda: f"no child sleeps: {program.children()}")
        [child] = program.children()
        os.kill(child, signal.SIGINT)
        program.finish()


def test_process_states_children_of_a_parent_that_is_killed_end_by_themselves():
    """The children that compute or sleep end within 10 seconds. Here a replaced clock lets this time pass at once."""
    run(sys.executable, "-c", """if True:
        import process_states
        times, slept = iter([0, 9, 11]), []
        process_states.time.monotonic, process_states.time.sleep = lambda: next(times), slept.append
        process_states.compute()
        process_states.sleep()
        assert slept == [10]
        """, **CHANGED)


def test_process_states_a_stopped_child_does_not_outlive_its_parent():
    pauses = ("import process_states, signal; process_states.report = lambda textbook, *_: textbook == '(stopped)' and signal.pause()\n"
              "process_states.main()")
    with Program(sys.executable, "-c", pauses, stdin="", env={"PYTHONPATH": str(ROOT / "day07")}) as program:
        wait_until(lambda: [harness.state_of(child) for child in program.children()] == ["T"], lambda: "no child was stopped")
        program.signal(signal.SIGKILL)
        program.wait()
        assert all(harness.reap(pid, harness.TIMEOUT) for pid in harness.adopted_by_us())


def test_pcb():
    lines = output_of("day07/pcb.py").splitlines()
    pid, ppid = numbers(lines[0])
    assert ppid == os.getpid() != pid
    assert numbers(lines[2]) == [1]                # thread
    assert 1000 < numbers(lines[3])[0] < 100_000   # kB
    assert numbers(lines[4]) == [3]                # open files: standard input, output and error


def test_pcb_shows_each_number_in_its_row():
    printed = run(sys.executable, "-c", """if True:
        import os, pcb
        found = pcb.read_pcb()
        assert found["VmRSS"] != found["VmSize"]
        pcb.read_pcb = lambda: {**found, "VmRSS": "47 kB", "voluntary_ctxt_switches": "48", "nonvoluntary_ctxt_switches": "49"}
        pcb.main()
        """, **CHANGED).stdout
    assert printed.splitlines()[3] == "memory in use        47 kB"
    assert printed.splitlines()[5:] == ["gave up the CPU      48 times", "lost the CPU         49 times"]


def test_time_slice():
    slept, lost, ms = (float(line) for line in re.findall(r"[\d.]+", output_of("day07/time_slice.py")))
    assert slept >= 1 and lost >= 5 and 0.01 < ms < 1000


def test_time_slice_is_taken_away_by_a_process_on_the_same_cpu():
    run(sys.executable, "-c", """if True:
        import os, sys, time_slice
        def fork():
            assert len(os.sched_getaffinity(0)) == 1
            sys.exit()
        os.fork = fork
        time_slice.main()
        raise AssertionError("the script made no other process")
        """, **CHANGED)


def test_time_slice_computes_its_figures_and_ends_the_other_process():
    """The test replaces times and counts by known numbers."""
    printed = run(sys.executable, "-c", """if True:
        import itertools, os, resource, signal, time, time_slice
        from types import SimpleNamespace as Object
        gave_up, lost, used, did = itertools.count(100, 3), itertools.count(200, 2), iter([7, 7.06]), []
        resource.getrusage = lambda who: Object(ru_nvcsw=next(gave_up), ru_nivcsw=next(lost))
        time.process_time = lambda: next(used)
        os.fork, os.kill, os.waitpid = lambda: 4711, lambda *args: did.append(args), lambda *args: did.append(args)
        time_slice.main()
        assert did == [(4711, signal.SIGKILL), (4711, 0)], did
        """, **CHANGED).stdout
    assert [line.rpartition(": ")[2] for line in printed.splitlines()[:2]] == ["gave up the CPU 3 time(s)", "lost the CPU 6 times"]
    assert printed.splitlines()[2].startswith("computed for 10.0 ms ")


def test_time_slice_leaves_no_process_that_computes_for_ever():
    """If the other process is not killed, it ends by itself after 10 seconds. A replaced clock lets this time pass at once."""
    run(sys.executable, "-c", """if True:
        import os, sys, time, time_slice
        times = iter([0, 5, 9, 11])
        time.monotonic, os.fork, os._exit = lambda: next(times), lambda: 0, sys.exit
        time_slice.main()
        raise AssertionError("the other process does not end")
        """, timeout=5, **CHANGED)


# All scripts of the day

DEMOS = [path for path in course.find_scripts() if path.startswith("day07/") and course.describe(path).output]


@pytest.mark.parametrize("path", DEMOS)
def test_fork_and_the_others_end_quietly_when_head_has_its_line(path):
    line = course.describe(path).output[0]
    with Program("sh", "-c", f"{sys.executable} {ROOT / path} | head -1") as program:
        printed = program.finish(orphans=range(3)).stdout.splitlines()
        assert course.compare([line], printed) is None


@pytest.mark.parametrize("path", [path for path in DEMOS if "flush=True" in (ROOT / path).read_text(encoding="utf-8")])
def test_fork_is_quiet_when_its_reader_has_ended(path):
    """Several processes print, and none of their lines has a reader."""
    with Program("sh", "-c", f"{sys.executable} {ROOT / path} | exec 0<&-") as program:
        program.finish(orphans=range(3))
