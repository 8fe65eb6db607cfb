"""Pass arguments by position and by name; the child gets copies.
按位置、按名字传参；子进程得到的是副本。
讲义: multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process2.py

Output:
    child : name = 'Lily', sports = ['chess'], age = 20
    child : sports = ['chess', 'football'] after my change
    parent: sports = ['chess'], do I see the change? False
"""
from multiprocessing import Process


def live(name, sports, age=18):
    print(f"child : {name = }, {sports = }, {age = }")
    # This is the child's own copy of the list, made at start(). 子进程自己的副本
    sports.append("football")
    print(f"child : {sports = } after my change")


def main():
    sports = ["chess"]
    child = Process(target=live, args=("Lily", sports), kwargs={"age": 20})
    child.start()
    child.join()
    print(f"parent: {sports = }, do I see the change? {'football' in sports}")
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"
    assert sports == ["chess"], f"expected the parent's list to be ['chess']; it is {sports}"


if __name__ == "__main__":
    main()
