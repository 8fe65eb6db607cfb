"""The modules of ftp_client.py, in order: each imports only modules above it in this list.
ftp_client.py 的各个模块，按顺序排列：每个文件只导入列表中排在它上面的文件

    screen.py       what the user sees: lines that are safe to print, times, the progress bar
    errors.py       three kinds of errors: on this machine, in a reply, on the connection
    connection.py   the control connection (ftplib); data connections go only to the same server
    interrupt.py    Ctrl-C cancels a transfer
    places.py       where downloads go
    completion.py   Tab completes commands and names
    transfers.py    get and put; a cancelled transfer leaves no partial file here
    menu.py         the menu, the listing, and the loop that runs each command line
"""
