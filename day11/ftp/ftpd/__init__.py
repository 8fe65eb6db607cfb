"""The rooms of ftp_server.py, from the ground up: each imports only rooms above it in this list.
ftp_server.py 的各个房间，自下而上：每个文件只导入列表中排在它上面的文件

    names.py        names of files on the wire, also of those that are not UTF-8
    watch.py        what the server shows on its own terminal
    rename.py       a name for a file in one step, if the name is still free
    library.py      the folder that is served; an upload appears in it when it is complete
    control.py      the control connection: command lines come in, replies go out
    data.py         the data connection: PASV or PORT opens it, a file or a listing goes over it
    commands.py     COMMANDS, the one table of all verbs, and @command, which adds a verb to it

    login.py        USER PASS ACCT REIN QUIT
    files.py        PWD CWD CDUP MKD RMD DELE RNFR RNTO MFMT
    listings.py     LIST NLST MLSD MLST STAT SIZE MDTM
    information.py  NOOP SYST FEAT OPTS HELP
    parameters.py   PASV EPSV PORT EPRT TYPE MODE STRU REST ALLO    (before a transfer)
    transfers.py    RETR STOR APPE STOU ABOR

    session.py      one client: takes a line, finds its verb in COMMANDS, sends the reply

Where to look 在哪里找：

    a command is parsed 解析命令             Session.obey (Control.next_line cuts out its line)
    a slow client is thrown out 断开慢客户端  Control.wait (in a transfer), Session.run (otherwise)
    no path leads out 防止越出目录            Library.folder
    a new verb 添加命令                      a function below @command in the room of its kind;
                                             nothing else has to be changed
"""
