"""The rooms of server_race.py, from the bottom up; a room imports only rooms above it in this list.
同场比较的各个模块，自下而上；每个模块只导入列表中排在它前面的模块。

    models     the servers that take part: a new one is one more entry here    参赛的服务器，新增一个只改这里
    servers    starts them, stops them, reads their CPU time and memory        启动、暂停服务器，读取 CPU 时间和内存
    load       the clients: here the requests are made and timed               客户端：在这里产生负载并计时
    results    the figures of all rounds, their medians, the JSON              各轮的数字、中位数和 JSON
    progress   says on stderr how far the race is                              在 stderr 上报告进度
    scenarios  which server meets which load, and in which order               每个服务器按什么顺序面对哪种负载
    report     tables, bars, and the sentences made of the figures             表格、条形图，以及由数字得出的句子
    picture    the same as an SVG file                                         SVG 图

One turn: `scenarios` continues a server (SIGCONT), `load` works on it, `servers` says what that cost,
`results` keeps the figures, and the server is stopped again (SIGSTOP). At the end `report` and
`picture` read the results; they never see a server.
"""
