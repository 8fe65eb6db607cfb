"""The rooms of the chat, from the ground up; each needs only those above it.
聊天室的各个模块，自下而上排列，每个模块只依赖它上面的模块

    text.py          what a terminal may be given to print, and where a long line breaks
    names.py         which names are allowed, and which two names are the same
    arguments.py     the command line, and the commands that error messages suggest
    halves.py        two forked halves that end together, and a line that one hands to the other
    line_editor.py   the half-typed line: taken off the screen, and drawn again
    terminal.py      lines are typed while others arrive
    watch.py         who comes and goes, shown on the server's terminal
    room.py          the server's heart: who is in the room, and who hears what
    joining.py       the client's way into the room, and out of it
"""
