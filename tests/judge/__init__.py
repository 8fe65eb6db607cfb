"""The judge of the practice: says whether a broken program has been mended, and if not, why.
练习的裁判：判断出错的程序是否已经改好；没有改好时说明原因。

exercises: what there is. apart: judge a file in a process of its own, which always comes to an end.
Inside that process: subject (the student's file), races (every schedule), programs (run it and see what
it prints and leaves), sockets (a client that means no good).
"""
