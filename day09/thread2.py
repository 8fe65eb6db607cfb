"""Several threads run at the same time and share a list.
几个线程同时运行，共用一个列表。
讲义: 线程编程 (Thread) · threading模块创建线程

Run:    python day09/thread2.py

Output:
    the list to which all threads append: [0, 1, 4, 9, 16]
    the barrier needs all 5 threads at the same time; threads that passed: 5
"""
from threading import Barrier, Thread

COUNT = 5


def work(n, squares, all_are_here):
    # At a Barrier, each thread waits until all five have arrived. 屏障：五个线程都到了才能通过
    all_are_here.wait()
    squares.append(n * n)


def main():
    squares = []
    all_are_here = Barrier(COUNT, timeout=10)
    # Thread takes these arguments as Process does, but copies nothing.
    # 这些参数和 Process 相同，但不复制
    threads = [Thread(target=work, args=(n, squares), kwargs={"all_are_here": all_are_here})
               for n in range(COUNT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"the list to which all threads append: {sorted(squares)}")
    print(f"the barrier needs all {COUNT} threads at the same time; "
          f"threads that passed: {len(squares)}")
    assert len(squares) == COUNT, f"expected {COUNT} squares; there are {len(squares)}"


if __name__ == "__main__":
    main()
