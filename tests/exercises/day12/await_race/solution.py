"""Two withdrawals of 70 from 100, each approved by a slow computer: one succeeds.
余额 100，两次取 70，都要经过一台慢机器批准：只有一次成功。
"""
import asyncio

lock = asyncio.Lock()

balance = 100


async def approve(amount):
    """Ask another computer for its approval, which takes a while."""
    await asyncio.sleep(0.01)


async def withdraw(amount):
    global balance
    # At each await other tasks may run, but none can enter here while we hold the lock.
    # 每个 await 处都可能运行别的任务；持锁期间它们进不来
    async with lock:
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
