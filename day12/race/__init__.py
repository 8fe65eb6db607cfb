"""The rooms of server_race.py; each imports only rooms above it in this list.
同场比较的各个模块；每个模块只导入列表中排在它前面的模块。

    models     which servers take part: to add one, add an entry here
               参赛的服务器；要新增一个，只需在这里加一项
    servers    starts, stops and ends them, reads their CPU time and memory
               启动、暂停、结束服务器，读取 CPU 时间和内存
    load       the clients: requests are sent and timed here
               客户端：在这里发送请求并计时
    results    the figures of all rounds, their medians, the JSON
               各轮的数字、中位数和 JSON
    progress   says on stderr how far the race is
               在 stderr 上报告进度
    scenarios  which server meets which load, in which order
               每个服务器按什么顺序面对哪种负载
    report     figures become tables and sentences here
               数字在这里变成表格和句子
    picture    draws bars and curves as SVG
               用 SVG 画出条形图和曲线

One turn: scenarios lets a server continue (SIGCONT), load works on it, servers tells what that
cost, results keeps the figures, and scenarios stops the server again (SIGSTOP). At the end report
and picture read the results; they know nothing of processes and sockets.
"""
