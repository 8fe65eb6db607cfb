"""Judge coroutines in every order in which their waits can end.
用所有可能的完成次序来判定协程。

The student's coroutines await one function. The judge replaces it with a function that waits until the
judge lets it continue. When all tasks wait, the judge ends one of the waits. It tries every choice.
"""
import asyncio

from judge.verdict import NotKnown, Refused

ROUNDS = 30                                        # turns of the event loop, enough for every task that can continue
MOST_ORDERS = 500


def judge(subject, names, awaited, argument, is_right):
    """Judge a file in every order; raise Refused or NotKnown. For each order, the file is loaded again.

    names: the coroutine functions; each is called with the argument, in a task of its own.
    awaited: the name of the function that is replaced. is_right(module, results): whether the final state is right.
    """
    pending, orders = [()], 0
    while pending:
        path = pending.pop()
        orders += 1
        if orders > MOST_ORDERS:
            raise NotKnown("too many", f"the first {MOST_ORDERS} orders give the right result, but there are more orders",
                           f"前 {MOST_ORDERS} 种次序都对，但还有更多")
        subject.load(*names, awaited)
        run = Run(subject.module, awaited)
        results, waiting = subject.call(lambda: asyncio.run(run.all([getattr(subject.module, name) for name in names], argument, path)))
        # After the end of the path, the run took the first choice each time. Try the other choices later.
        pending += [(*run.taken[:at], other) for at in range(len(path), len(run.taken)) for other in range(1, run.choices[at])]
        if waiting:
            english = f"in one order of events, {' and '.join(waiting)} never end{'s' * (len(waiting) == 1)}"
            raise Refused("deadlock", english, f"在一种次序中，{', '.join(waiting)} 永远不结束", run.log)
        if not is_right(subject.module, results):
            raise Refused("race", f"in this order the result is wrong: balance = {subject.module.balance}, return values {results}",
                          f"这种次序的结果不对：balance = {subject.module.balance}，返回值 {results}", run.log)


class Run:
    """A run in one order. taken: the choice at each step; choices: how many choices each step had."""

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
        """Run all functions, each in a task; return (results, names of the tasks that never end)."""
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
