"""The rooms of classroom.py, from the ground up: each imports only rooms above it in this list.
classroom.py 的各个模块，自下而上：每个模块只导入列表中在它上面的模块。

    problem.py      what is refused, in both languages
    processes.py    what /proc says of a process, and what descends from it
    guard.py        the guardian: a process beside each run that ends all of it
    lanes.py        the output of a run, told apart by the process that wrote it
    clients.py      the class's clients of a server
    runs.py         a run: its guardian, its output, its clients, and the thread that serves them
    system.py       the picture: processes, threads, sockets and pipes of a run
    scripts.py      which scripts there are, and how each may be run: read from their docstrings
    slowly.py       runs a script with a pause after each print
    explorer.py     the programs of interleavings.py as tables
    safety.py       which requests are let in
    api.py          the routes
    page/           what the browser gets

Where is ...

    a program started?              start in guard.py; the command is made in scripts.py
    a run ended with all of it?     end_descendants in guard.py
    the writer of a line known?     Lanes.receive in lanes.py
    another page kept out?          check in safety.py
    an answer of the API made?      api.py, a function for each path
"""
