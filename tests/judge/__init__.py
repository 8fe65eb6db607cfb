"""The judge of the exercises: decides whether a broken program has been fixed, and if not, says why.
练习的裁判：判断出错的程序是否已经改好；没有改好时说明原因。

The module exercises lists the exercises. The module apart judges each file in a process of its own, which
always ends. The checks in that process use subject (the student's file), races (tries every schedule of the threads), awaits
(tries every order of the coroutines), programs (runs the file) and sockets (a hostile client).
"""
