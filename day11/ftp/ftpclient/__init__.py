"""The rooms of ftp_client.py, from the ground up: each imports only rooms above it in this list.
ftp_client.py 的各个房间，自下而上：每个文件只导入列表中排在它上面的文件

    screen.py       what people see: lines that are safe to print, times, the progress bar
    errors.py       what can go wrong: here, in the reply to a command, or with the connection
    connection.py   the control connection: ftplib, which connects to the server and to no other
    interrupt.py    what Ctrl-C means: it cancels a transfer
    places.py       where downloads go
    completion.py   Tab completes commands and names
    transfers.py    get and put: the data connection, and no half files
    menu.py         the menu, the list, and the loop that does what each line asks for
"""
