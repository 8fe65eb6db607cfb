"""The modules of the chat, in order of use: each needs only modules above it.
聊天室的各个模块，按使用顺序排列，每个模块只依赖它上面的模块

    text.py          text that is safe to print on a terminal, and where a long line breaks
    names.py         which names are allowed, and which names count as the same
    arguments.py     the command line, and the commands that error messages suggest
    halves.py        two processes that end together, and how one hands a line to the other
    line_editor.py   the half-typed line: removed from the screen and drawn again
    terminal.py      the terminal, on which messages arrive while the user types
    watch.py         who joins and leaves, shown on the server's terminal
    room.py          the server's heart: who is in the room, and who gets which line
    joining.py       the client's way into the room, and out of it
"""
