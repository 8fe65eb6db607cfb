"""What the kernel records about a process (its PCB), read from Linux's /proc.
内核为每个进程保存了什么（PCB，进程控制块）：从 Linux 的 /proc 读取。
讲义: 进程理论基础 · PCB(进程控制块)

Run:    python day07/pcb.py

Output:
    PID, PPID            <pid>, <pid>
    state                R (running)
    threads              1
    memory in use        <n> kB
    open files           <n>
    gave up the CPU      <n> times
    lost the CPU         <n> times
"""
import os
import sys


def main():
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL"
              " · 需要 Linux 的 /proc，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)

    pcb = read_pcb()
    print(f"PID, PPID            {pcb['Pid']}, {pcb['PPid']}")
    # A process that reads its own state is running. 读取自己的状态时，当然正在运行。
    print(f"state                {pcb['State']}")
    print(f"threads              {pcb['Threads']}")
    print(f"memory in use        {pcb['VmRSS']}")
    # - 1: do not count the descriptor that listdir opens to read the folder /proc/self/fd.
    print(f"open files           {len(os.listdir('/proc/self/fd')) - 1}")
    # Context switches: this process gave up the CPU to wait, or lost it to another process
    # (time_slice.py).
    # 上下文切换：为了等待主动让出 CPU；或者被收回 CPU，让给别的进程。
    print(f"gave up the CPU      {pcb['voluntary_ctxt_switches']} times")
    print(f"lost the CPU         {pcb['nonvoluntary_ctxt_switches']} times")

    numbers = (int(pcb["Pid"]), int(pcb["PPid"]))
    expected = (os.getpid(), os.getppid())
    assert numbers == expected, f"expected the PID and PPID {expected}; /proc says {numbers}"


def read_pcb():
    """Return the lines of /proc/self/status as a dict, such as {"State": "R (running)", ...}."""
    pcb = {}
    with open("/proc/self/status") as file:
        for line in file:
            key, _, value = line.partition(":")
            pcb[key] = value.strip()
    return pcb


if __name__ == "__main__":
    main()
