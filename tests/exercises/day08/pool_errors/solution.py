"""A pool computes reciprocals; the parent shows each result, and each number that failed.
进程池计算倒数；父进程显示每个结果，也显示每个失败的数。
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
        tasks = {number: pool.apply_async(invert, (number,)) for number in (4, 0, 2)}
        for number, task in tasks.items():
            try:
                show(number, task.get())
            except ZeroDivisionError:
                # get() raises what the task raised. 任务里的异常由 get() 抛出
                fail(number)
        pool.close()
        pool.join()
    print("done")


if __name__ == "__main__":
    main()
