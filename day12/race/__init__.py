"""The modules of server_race.py; each imports only modules above it in this list.
同场比较的各个模块；每个模块只导入列表中排在它前面的模块。

    models     lists the servers that take part (to add a server, add an entry here)
               参赛的服务器；要新增一个，只需在这里加一项
    servers    starts, stops and ends the servers, reads their CPU time and memory
               启动、暂停、结束服务器，读取 CPU 时间和内存
    load       plays the clients: sends requests and times the answers
               客户端：发送请求并计时
    results    keeps the figures of all rounds, computes their medians, makes the JSON
               各轮的数字、中位数和 JSON
    progress   shows on stderr what is being measured
               在 stderr 上报告进度
    scenarios  decides which server gets which load, and in which order
               每个服务器按什么顺序面对哪种负载
    report     turns figures into tables and sentences
               把数字变成表格和句子
    picture    draws bars and curves as SVG
               用 SVG 画出条形图和曲线

In one turn, scenarios.py lets a server continue (SIGCONT), load.py sends requests to the server,
servers.py reads what the requests cost, results.py keeps the figures, and scenarios.py stops the
server again (SIGSTOP). At the end, report.py and picture.py read the results. These two modules
know nothing about processes and sockets.
"""
