"""A zombie: it has ended, its memory is gone, SIGKILL cannot touch it, and only wait removes it.
孤儿和僵尸 · 僵尸进程

Run:    python day07/zombie.py

Output:
    the child <pid> has exited, and its parent has not waited:
        State: Z (zombie)        lines about memory (Vm...): 0
    after kill -9:
        State: Z (zombie)        lines about memory (Vm...): 0
    os.waitpid returned (<pid>, 1792), so the exit status was 7
        /proc/<pid> exists: False
"""
import os
import signal


def main():
    pid = os.fork()
    if pid == 0:
        os._exit(7)

    # WNOWAIT: come back when the child has ended, but leave it as it is, unreaped.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(f"the child {pid} has exited, and its parent has not waited:")
    show(pid)

    os.kill(pid, signal.SIGKILL)                   # no error, and no effect: a dead process runs no more
    print("after kill -9:")
    show(pid)

    child, status = os.waitpid(pid, 0)             # what the zombie was kept for: somebody reads its status
    print(f"os.waitpid returned ({child}, {status}), so the exit status was {os.waitstatus_to_exitcode(status)}")
    print(f"    /proc/{pid} exists: {os.path.exists(f'/proc/{pid}')}")
    assert not os.path.exists(f"/proc/{pid}")


def show(pid):
    with open(f"/proc/{pid}/status") as file:
        lines = file.read().splitlines()
    state = next(line for line in lines if line.startswith("State:"))
    memory = [line for line in lines if line.startswith("Vm")]      # a living process has about ten of them
    print(f"    {' '.join(state.split())}        lines about memory (Vm...): {len(memory)}")
    assert "Z" in state and not memory


if __name__ == "__main__":
    main()
