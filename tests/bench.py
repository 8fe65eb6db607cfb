"""Used by both benchmarks: run the servers in turn, each on its own core, and print a table of medians and ratios."""
import contextlib
import os
import socket
import statistics
import subprocess
import time

LIMIT = 120                                        # seconds after which no new round begins


@contextlib.contextmanager
def running(command, core):
    """Start a server on a free port, yield the port, and end the server afterwards.

    command: a function from the port to the words of the command.  core: the core on which the server runs, or None.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [str(word) for word in command(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)        # some servers write a log
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        for _ in range(100):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
                break
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(words)} has ended with {process.returncode}")
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{' '.join(words)} does not listen")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def compare(servers, scenarios, rounds):
    """Measure, and print a table.

    servers: {name: (command, information for the scenarios)}. Ours is the first; all figures are divided by those of the last.
    scenarios: {title: function from the port and the information to a figure}; a greater figure is better.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[1]})        # the load, with all that it starts
    results = {(name, title): [] for name in servers for title in scenarios}
    began = time.monotonic()
    for number in range(rounds):
        if time.monotonic() - began > LIMIT * (number + 1) / rounds:
            print(f"only {number} rounds: this machine is slow")
            break
        for name, (command, information) in servers.items():
            with running(command, cores[0] if len(cores) > 1 else None) as port:
                for title, scenario in scenarios.items():
                    results[name, title].append(scenario(port, information))
    base = list(servers)[-1]
    print(f"{'':24}" + "".join(f"{name:>22}" for name in servers))
    for title in scenarios:
        medians = {name: statistics.median(results[name, title]) for name in servers}
        print(f"{title:24}" + "".join(f"{value:13,.0f} {f'({value / medians[base]:.2f})':>8}" for value in medians.values()))
    if len(servers) > 1:
        print(f"In parentheses: divided by the figure of {base}.")
