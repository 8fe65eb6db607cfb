"""The modules of http_server.py, in reading order: each imports only modules above it in this list.
http_server.py 的各个模块，按阅读顺序：每个模块只导入列表中排在它上面的模块。

    loop.py         the event loop: coroutines over epoll, deadlines; knows nothing about HTTP
    request.py      from bytes to a Request, or to a Refusal: pure functions
    media.py        the header lines that describe the content of a file
    files.py        the directory that is served
    conditions.py   the If-... and Range fields of a request
    reply.py        from a status, header lines and a body to the bytes that are sent
    log.py          the access log
    connection.py   one client: receive, parse, answer, send
    workers.py      several processes on one port, and their scoreboard
    server.py       HTTPServer: the listener, the routes, what each turn of the loop does

Where is ...

    a request parsed?               parse in request.py
    a slow client disconnected?     Loop.expire in loop.py, at the deadlines of connection.py
    a route called?                 HTTPServer.call_route in server.py; encode_result in reply.py
                                    decides what a route may return
    a path outside refused?         Site.load in files.py
    a charset chosen?               describe_content in media.py
    a file, a reply, a head cached? Site.file_cache, HTTPServer.turn_cache, the lru_cache of parse
"""
