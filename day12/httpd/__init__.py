"""The rooms of http_server.py, from the ground up: each imports only rooms above it in this list.
http_server.py 的各个房间，自下而上：每个模块只导入列表中在它上面的模块。

    loop.py         the event loop: coroutines over epoll, deadlines; knows nothing of HTTP
    request.py      from bytes to a Request, or to a Refusal: pure functions
    media.py        which header lines say what the bytes of a file are
    files.py        the directory that is served
    conditions.py   what If-... and Range ask of a file
    reply.py        from a status, header lines and a body to the bytes that are sent
    log.py          the access log
    connection.py   one client: receive, parse, answer, send
    workers.py      several processes on one port, and their scoreboard
    server.py       HTTPServer: the listener, the routes, the turn of the loop

Where is ...

    a request parsed?               parse in request.py
    a slow client thrown out?       Loop.expire in loop.py, at the deadlines of connection.py
    a route called?                 HTTPServer.call_route in server.py; what it may return is in
                                    encode_result in reply.py
    a path kept inside?             Site.load in files.py
    a charset chosen?               describe_content in media.py
    a file, a reply, a head kept?   Site.file_cache, HTTPServer.turn_cache, the lru_cache of parse
"""
