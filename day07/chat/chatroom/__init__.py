"""The modules of the chat, in order: each module imports only modules above it.
聊天室的各个模块，按顺序排列，每个模块只导入它上面的模块

    text.py          makes text safe to print on a terminal, and breaks long lines
    names.py         which names are allowed, and which names count as the same
    arguments.py     reads the command line, and builds commands that error messages suggest
    halves.py        two processes that end together; the child hands lines to the parent
    line_editor.py   removes the half-typed line from the screen, and draws it again
    terminal.py      shows messages on a terminal while the user types
    watch.py         shows who joins and leaves on the server's terminal
    room.py          the core of the server: who is in the room, and who gets which line
    joining.py       how a client joins the room, and how it leaves
"""
