"""Judge coroutines by every order in which what they wait for can happen.
用所有可能的完成次序来判定协程。

The student's coroutines await one function, which the judge replaces: it waits until the judge lets it
go on. When all tasks wait, the judge chooses one of the waits to end; it tries all choices.
"""
import asyncio

from judge.verdict import NotKnown, Refused

ROUNDS = 30                                        # of the event loop, after which every task that can go on has done so
MOST_ORDERS = 500


def judge(subject, names, awaited, argument, is_right):
    """names: coroutine functions, one task each, called with the argument. awaited: the function that is replaced.
    is_right(module, results) says whether the end is right. Each order begins with the file loaded anew."""
    pending, orders = [()], 0
    while pending:
        path = pending.pop()
        orders += 1
        if orders > MOST_ORDERS:
            raise NotKnown("too many", f"the first {MOST_ORDERS} orders are right, but there are more", f"前 {MOST_ORDERS} 种次序都对，但还有更多")
        subject.load(*names, awaited)
        run = Run(subject.module, awaited)
        results, waiting = subject.call(lambda: asyncio.run(run.all([getattr(subject.module, name) for name in names], argument, path)))
        # Where the path had ended, the first choice was taken; the others are still to be tried.
        pending += [(*run.taken[:at], other) for at in range(len(path), len(run.taken)) for other in range(1, run.choices[at])]
        if waiting:
            raise Refused("deadlock", f"in one order, {', '.join(waiting)} never ends", f"在一种次序中，{', '.join(waiting)} 永远不结束", run.log)
        if not is_right(subject.module, results):
            raise Refused("race", f"with this order the end is wrong: balance = {subject.module.balance}, results {results}",
                          f"这种次序的结果不对：balance = {subject.module.balance}，返回值 {results}", run.log)


class Run:
    """One order. taken: the choices made; choices: how many there were."""

    def __init__(self, module, awaited):
        self.log, self.taken, self.choices, self.waits = [], [], [], []
        self.module = module
        setattr(module, awaited, self.wait)
        self.awaited = awaited

    async def wait(self, *arguments):
        name = asyncio.current_task().get_name()
        self.log.append(f"  {name} waits in {self.awaited}()  · {name} 等待")
        future = asyncio.get_running_loop().create_future()
        self.waits.append((name, future))
        await future
        self.log.append(f"  {name} goes on            · {name} 继续")
        return True

    async def all(self, functions, argument, path):
        """Return (results, names of the tasks that never end)."""
        tasks = [asyncio.create_task(self.named(function, argument), name=name) for function, name in zip(functions, "AB")]
        while True:
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
            if not self.waits:
                break
            choice = path[len(self.taken)] if len(self.taken) < len(path) else 0
            self.choices.append(len(self.waits))
            self.taken.append(choice)
            self.waits.pop(choice)[1].set_result(True)
        waiting = [task.get_name() for task in tasks if not task.done()]
        for task in tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results, waiting

    async def named(self, function, argument):
        name = asyncio.current_task().get_name()
        result = await function(argument)
        self.log.append(f"  {name} returns {result}       · {name} 返回")
        return result
