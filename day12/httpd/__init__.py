"""The modules of http_server.py, in reading order: each imports only modules above it in this list.
http_server.py 的各个模块，按阅读顺序：每个模块只导入列表中排在它上面的模块。

    loop.py         runs coroutines on epoll, with deadlines; knows nothing about HTTP
    request.py      parses bytes into a Request, or raises a Refusal
    media.py        chooses the header lines that describe the content of a file
    files.py        finds files in the served directory
    conditions.py   evaluates the If-... and Range fields of a request
    reply.py        makes the bytes of a reply from a status, header lines and a body
    log.py          writes the access log
    connection.py   serves one client: receive, parse, answer, send
    workers.py      runs several processes, which share a port and a scoreboard
    server.py       defines HTTPServer: the listener, the routes, the turns of the loop

Where to look if you want to change how the server ...

    parses a request                      parse in request.py
    disconnects a slow client             Loop.expire in loop.py; connection.py sets the deadlines
    calls a route                         HTTPServer.call_route in server.py
    encodes the result of a route         encode_result in reply.py
    refuses a path outside the directory  Site.load in files.py
    chooses a charset                     describe_content in media.py
    caches a file                         Site.file_cache in files.py
    caches a reply                        HTTPServer.turn_cache in server.py
    caches a parsed head                  the lru_cache of parse in request.py
"""
