"""A Process takes arguments for its function, and what the child does to them is not seen in the parent.
multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process2.py

Output:
    child : name = 'Lily', sports = ['chess'], age = 20
    child : sports = ['chess', 'football'] after my change
    parent: sports = ['chess'], nothing has changed here
"""
from multiprocessing import Process


def live(name, sports, age=18):
    print(f"child : {name = }, {sports = }, {age = }")
    sports.append("football")                      # the child's own list: a copy, made when it was started
    print(f"child : {sports = } after my change")


def main():
    sports = ["chess"]
    child = Process(target=live, args=("Lily", sports), kwargs={"age": 20})
    child.start()
    child.join()
    print(f"parent: {sports = }, nothing has changed here")
    assert child.exitcode == 0 and sports == ["chess"]


if __name__ == "__main__":
    main()
