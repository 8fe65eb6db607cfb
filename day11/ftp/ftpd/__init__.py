"""The modules of ftp_server.py, in order: each imports only modules above it in this list.
ftp_server.py 的各个模块，按顺序排列：每个文件只导入列表中排在它上面的文件

    names.py        file names on the network, including names that are not UTF-8
    watch.py        what the server prints on its own terminal
    rename.py       rename a file in one step, if the new name is still free
    library.py      the folder that is served; an upload appears in it when it is complete
    control.py      the control connection: it receives command lines and sends replies
    data.py         the data connection: PASV or PORT prepares it, a file or a listing uses it
    commands.py     COMMANDS, the table of all verbs, and @command, which adds a verb

    login.py        USER PASS ACCT REIN QUIT
    files.py        PWD CWD CDUP MKD RMD DELE RNFR RNTO MFMT
    listings.py     LIST NLST MLSD MLST STAT SIZE MDTM
    information.py  NOOP SYST FEAT OPTS HELP
    parameters.py   PASV EPSV PORT EPRT TYPE MODE STRU REST ALLO    (before a transfer)
    transfers.py    RETR STOR APPE STOU ABOR

    session.py      one client: reads a line, finds its verb in COMMANDS, sends the reply

Where to look 在哪里找：

    a command is parsed 解析命令             Session.obey (Control.next_line finds the line's end)
    a silent client is disconnected 断开     Session.run
    a stalled transfer is ended 中断停滞     Control.wait
    paths stay inside 防止越出目录           Library.folder
    add a verb 添加命令                      write a function below @command, in a module with
                                             similar verbs; change nothing else
"""
