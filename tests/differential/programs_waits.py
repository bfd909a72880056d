"""wait, as_completed, shield, staggered_race; programs_waits.cpp is its twin."""

import asyncio
from asyncio.staggered import staggered_race

from program import boom, sleep, spawn


class Ticker:
    """Counts iterations of the loop. While it runs, the clock stands still."""

    def __init__(self):
        self.ticks = 0
        self.task = spawn(self.run, "ticker")

    async def run(self):
        while True:
            await sleep()
            self.ticks += 1


def worker(log, result, delay, failure=None):
    """A coroutine function that sleeps, then returns or fails."""

    async def work():
        await log.watch(f"work {result}", lambda: sleep(delay))
        if failure:
            boom(failure)
        log(f"ends {result}")
        return result

    return work


async def join(task):
    return await task


def split(tasks, done):
    """Says of each task whether it is in `done`, in the order of `tasks`."""
    return " ".join("done" if task in done else "pending" for task in tasks)


async def wait_returns(log):
    ticker = Ticker()
    await sleep()

    async def waits(what, tasks, **options):
        before = ticker.ticks
        done, pending = await asyncio.wait(tasks, **options)
        log(f"{what}: {split(tasks, done)}, {len(pending)} pending, {ticker.ticks - before} ticks")

    def tasks():
        return [spawn(worker(log, 1, 0), "one"), spawn(worker(log, 2, 0, "two"), "two"), spawn(worker(log, 3, 0), "three")]

    await waits("all", tasks())
    await waits("first", tasks(), return_when=asyncio.FIRST_COMPLETED)
    await waits("first exception", tasks(), return_when=asyncio.FIRST_EXCEPTION)
    done = spawn(worker(log, 4, 0), "four")
    await join(done)
    await waits("done already", [done])
    await waits("done already, twice", [done, done], return_when=asyncio.FIRST_COMPLETED)
    future = asyncio.get_running_loop().create_future()
    await waits("no time", [future], timeout=0)
    await waits("less than no time", [future], timeout=-1)
    cancelled = spawn(worker(log, 5, 0), "five")
    cancelled.cancel()
    await waits("cancelled", [cancelled, future], return_when=asyncio.FIRST_COMPLETED)
    ticker.task.cancel()


async def wait_in_time(log):
    slow = spawn(worker(log, 1, 5), "slow")
    quick = spawn(worker(log, 2, 1), "quick")
    failing = spawn(worker(log, 3, 2, "third"), "failing")
    cancelled = spawn(worker(log, 4, 9), "cancelled")
    tasks = [slow, quick, failing, cancelled]

    async def waits(what, **options):
        done, _ = await asyncio.wait(tasks, **options)
        log(f"{what}: {split(tasks, done)}")

    await waits("a deadline of another's second", timeout=3, return_when=asyncio.FIRST_COMPLETED)
    cancelled.cancel()
    await waits("a cancelled one is no failure", return_when=asyncio.FIRST_EXCEPTION)
    await waits("timeout", timeout=1)
    await waits("result and timeout at once", timeout=2)
    await waits("all")


async def wait_cancelled(log):
    child = spawn(worker(log, 1, 3), "child")

    async def waits():
        await log.watch("wait", lambda: asyncio.wait([child], timeout=9))

    waiting = spawn(waits, "waiting")
    await sleep(1)
    waiting.cancel("enough")
    await log.attempt("join", lambda: join(waiting))
    log(f"child asked {child.cancelling()}")
    waiting = spawn(waits, "waiting")
    await join(child)
    waiting.cancel("as it ends")
    await log.attempt("join", lambda: join(waiting))


async def as_completed_in_order(log):
    tasks = [spawn(worker(log, 1, 3), "t1"), spawn(worker(log, 2, 1), "t2"), spawn(worker(log, 3, 2, "third"), "t3")]
    async for task in asyncio.as_completed(tasks):
        log(f"comes {tasks.index(task)}")
    ticker = Ticker()
    await sleep()
    begin = ticker.ticks
    async for task in asyncio.as_completed([tasks[1], spawn(worker(log, 4, 0), "t4")]):
        log(f"comes {task.get_name()} after {ticker.ticks - begin} ticks")
    log(f"over after {ticker.ticks - begin} ticks")
    ticker.task.cancel()


async def as_completed_in_time(log):
    tasks = [spawn(worker(log, i, i), f"t{i}") for i in (1, 2, 3)]
    all_of_them = asyncio.as_completed(tasks, timeout=2)
    iterator = all_of_them.__aiter__()

    async def takes():
        task = await iterator.__anext__()
        log(f"takes {task.get_name()}")

    for _ in range(3):
        await log.attempt("take", takes)
    for task in tasks:
        log(f"asked {task.cancelling()}")
        await log.attempt("join", lambda: join(task))


async def as_completed_shared(log):
    tasks = [spawn(worker(log, i, i), f"t{i}") for i in (1, 2, 3)]
    iterator = asyncio.as_completed(tasks)

    async def takes():
        async for task in iterator:
            log(f"takes {task.get_name()}")

    one = spawn(takes, "one")
    other = spawn(takes, "other")
    await log.attempt("join", lambda: join(one))
    await log.attempt("join", lambda: join(other))


async def shield_results(log):
    ticker = Ticker()
    await sleep()

    async def shields(what, task):
        before = ticker.ticks
        result = await asyncio.shield(task)
        log(f"{what}: {result} after {ticker.ticks - before} ticks")

    await log.attempt("result", lambda: shields("good", spawn(worker(log, 1, 0), "t1")))
    await log.attempt("failure", lambda: shields("bad", spawn(worker(log, 2, 0, "second"), "t2")))
    cancelled = spawn(worker(log, 3, 9), "t3")
    asyncio.get_running_loop().call_soon(cancelled.cancel, "inner")
    await log.attempt("inner cancelled", lambda: shields("never", cancelled))
    done = spawn(worker(log, 4, 0), "t4")
    await join(done)
    await log.attempt("done already", lambda: shields("done", done))
    ticker.task.cancel()


async def shield_cancelled(log):
    inner = spawn(worker(log, 1, 3), "inner")

    async def waits():
        log(f"got {await log.watch('shield', lambda: asyncio.shield(inner))}")

    waiting = spawn(waits, "waiting")
    other = spawn(waits, "other")
    await sleep(1)
    log(f"cancels {waiting.cancel('outside')}")
    await log.attempt("join", lambda: join(waiting))
    log(f"inner asked {inner.cancelling()}")
    await log.attempt("in time", lambda: asyncio.wait_for(asyncio.shield(inner), 1))
    await log.attempt("no time", lambda: asyncio.wait_for(asyncio.shield(inner), 0))
    await log.attempt("join", lambda: join(other))
    late = spawn(worker(log, 2, 1), "late")
    waiting = spawn(lambda: log.watch("shield", lambda: asyncio.shield(late)), "waiting")
    await join(late)
    waiting.cancel("as it ends")
    await log.attempt("join", lambda: join(waiting))
    outer = asyncio.shield(spawn(worker(log, 3, 1), "third"))
    both = asyncio.gather(outer, asyncio.shield(spawn(worker(log, 4, 2), "fourth")))
    both.cancel()
    await log.attempt("gather", lambda: both)
    await sleep(3)


async def races(log):
    async def race(what, attempts, delay):
        result, index, exceptions = await staggered_race(attempts, delay)
        told = ", ".join("none" if e is None else "cancelled" if isinstance(e, asyncio.CancelledError) else "failed"
                         for e in exceptions)
        log(f"{what}: {'none' if index is None else index} {'none' if index is None else result} [{told}]")

    def attempt(result, delay, failure=None):
        return worker(log, result, delay, failure)

    await race("nobody", [], None)
    await race("first", [attempt(1, 1), attempt(2, 1)], 5)
    await race("second, at once", [attempt(3, 1, "third"), attempt(4, 1)], 5)
    await race("second, late", [attempt(5, 9), attempt(6, 1)], 2)
    await race("first, late", [attempt(7, 3), attempt(8, 9), attempt(9, 9)], 2)
    await race("none", [attempt(10, 1, "tenth"), attempt(11, 1, "eleventh")], None)
    await race("in turn", [attempt(12, 3, "twelfth"), attempt(13, 1)], None)
    log(f"{len(asyncio.all_tasks())} task")


PROGRAMS = [
    wait_returns,
    wait_in_time,
    wait_cancelled,
    as_completed_in_order,
    as_completed_in_time,
    as_completed_shared,
    shield_results,
    shield_cancelled,
    races,
]
