"""A pool computes reciprocals; the parent shows each result, and each number that failed.
进程池计算倒数；父进程显示每个结果，也显示每个失败的数。

Run:    python day08/practice/pool_errors.py
You see: `done`, but nothing about the results or the task that failed.
看到：只有 `done`：既没有结果，也没有提到失败的任务。
"""
from multiprocessing import Pool


def invert(number):
    return 1 / number


def show(number, result):
    print(f"{number}: {result}")


def fail(number):
    print(f"{number}: failed")


def main():
    with Pool(2) as pool:
        for number in 4, 0, 2:
            pool.apply_async(invert, (number,))
        pool.close()
        pool.join()
    print("done")


if __name__ == "__main__":
    main()
