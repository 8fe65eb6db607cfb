"""Two withdrawals of 70 from 100, each approved by a slow computer: one succeeds.
余额 100，两次取 70，都要经过一台慢机器批准：只有一次成功。

Still wrong: a threading.Lock blocks the only thread.
"""
import asyncio
import threading

lock = threading.Lock()

balance = 100


async def approve(amount):
    """Ask another computer for its approval, which takes a while."""
    await asyncio.sleep(0.01)


async def withdraw(amount):
    global balance
    with lock:
        if balance >= amount:
            await approve(amount)
            balance -= amount
            return True
    return False


async def main():
    results = await asyncio.gather(withdraw(70), withdraw(70))
    print("balance:", balance, "succeeded:", results)


if __name__ == "__main__":
    asyncio.run(main())
