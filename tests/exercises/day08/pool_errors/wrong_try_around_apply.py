"""A pool computes reciprocals; the parent shows each result, and each number that failed.
进程池计算倒数；父进程显示每个结果，也显示每个失败的数。

Still wrong: apply_async() never raises the task's exception.
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
            try:
                def done(result, number=number):
                    show(number, result)

                pool.apply_async(invert, (number,), callback=done)
            except ZeroDivisionError:
                fail(number)
        pool.close()
        pool.join()
    print("done")


if __name__ == "__main__":
    main()
