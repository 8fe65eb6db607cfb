"""What the kernel keeps about a process (its PCB), read from /proc, and the time slices that are counted there.
进程理论基础 · PCB(进程控制块)，cpu时间片

Run:    python day07/pcb.py

Output:
    PID, PPID            <pid>, <pid>
    state                R (running)
    threads              1
    memory in use        <n> kB
    open files           <n>
    gave up the CPU      <n> times
    lost the CPU         <n> times

    after a sleep: gave up the CPU <n> times more
    after computing beside another process on one CPU: lost it <n> times more, a slice of some <ms> ms each
"""
import os
import socket
import time


def main():
    pcb = read_pcb()
    print(f"PID, PPID            {pcb['Pid']}, {pcb['PPid']}")
    print(f"state                {pcb['State']}")                # of course: it is we who are reading
    print(f"threads              {pcb['Threads']}")
    print(f"memory in use        {pcb['VmRSS']}")
    print(f"open files           {len(os.listdir('/proc/self/fd')) - 1}")          # without the one that lists them
    print(f"gave up the CPU      {pcb['voluntary_ctxt_switches']} times")
    print(f"lost the CPU         {pcb['nonvoluntary_ctxt_switches']} times")
    print()

    before = switches("voluntary")
    time.sleep(0.01)                               # to wait is to give up the CPU before the slice is over
    gave_up = switches("voluntary") - before
    print(f"after a sleep: gave up the CPU {gave_up} times more")
    assert gave_up >= 1

    lost, used = compute_beside_another(slices=5)
    print("after computing beside another process on one CPU: "
          f"lost it {lost} times more, a slice of some {1000 * used / lost:.1f} ms each")


def read_pcb():
    with open("/proc/self/status") as file:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


def switches(kind):
    return int(read_pcb()[f"{kind}_ctxt_switches"])


def compute_beside_another(slices):
    """Share one CPU with a computing child for that many slices; return slices lost and CPU seconds used."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})          # the child inherits it
    ours, theirs = socket.socketpair()
    print(end="", flush=True)
    if os.fork() == 0:
        ours.close()
        compute_until_closed(theirs)
        os._exit(0)
    theirs.close()

    before, started = switches("nonvoluntary"), time.process_time()
    while switches("nonvoluntary") < before + slices:                # the clock takes the CPU from us, not we give it up
        sum(range(1000))
    lost, used = switches("nonvoluntary") - before, time.process_time() - started

    ours.close()
    os.wait()
    return lost, used


def compute_until_closed(line):
    line.setblocking(False)
    while True:
        try:
            line.recv(1)
            return
        except BlockingIOError:                    # still open and nothing to read
            sum(range(1000))


if __name__ == "__main__":
    main()
