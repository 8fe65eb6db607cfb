"""The modules of classroom.py, bottom up: each imports only modules above it in this list.
classroom.py 的各个模块，自下而上：每个模块只导入列表中在它上面的模块。

    problem.py      a refused request, with the reason in English and Chinese
    processes.py    reads what /proc says about a process and its descendants
    guard.py        the guardian: starts a run's script, and ends all of the run's processes
    lanes.py        the output of a run, with the process that wrote each part
    clients.py      the clients that the class connects to a server
    runs.py         a run: its guardian, its output, its clients, and the thread that serves them
    system.py       the picture of a run: its processes, threads, sockets and pipes
    scripts.py      lists the scripts, and says how each can be run
    slowly.py       runs a script with a pause after each print
    explorer.py     turns the programs of day10/interleavings.py into tables
    safety.py       which requests are accepted
    api.py          the routes
    page/           the files that the browser loads

Where is ...

    a program started?             start in guard.py; the command is made in scripts.py
    every process of a run ended?  end_descendants in guard.py
    the writer of a line found?    Lanes.receive in lanes.py
    another site's page refused?   check in safety.py
    an answer of the API made?     api.py, a function for each path
"""
