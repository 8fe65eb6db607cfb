"""A pool computes reciprocals; the parent shows each result, and each number that failed.
进程池计算倒数；父进程显示每个结果，也显示每个失败的数。

Still wrong: the failure of one task hides the results of the others.
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
        try:
            for number, result in zip((4, 0, 2), pool.map(invert, (4, 0, 2))):
                show(number, result)
        except ZeroDivisionError:
            fail(0)
        pool.close()
        pool.join()
    print("done")


if __name__ == "__main__":
    main()
