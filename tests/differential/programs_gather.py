"""gather; programs_gather.cpp is its twin."""

import asyncio

from program import boom, sleep, spawn


def worker(log, result, delay, failure=None):
    """A coroutine function that sleeps, then returns or fails."""

    async def work():
        log(f"begins {result}")
        await log.watch(f"work {result}", lambda: sleep(delay))
        if failure:
            boom(failure)
        log(f"ends {result}")
        return result

    return work


async def join(task):
    return await task


async def gather_results(log):
    async def say(what):
        log(what)

    done = asyncio.get_running_loop().create_future()
    done.set_result(0)
    shared = spawn(worker(log, 9, 1), "shared")
    a, b, c, d, e = await asyncio.gather(worker(log, 1, 2)(), shared, worker(log, 2, 0)(), done, shared)
    log(f"{a} {b} {c} {d} {e}")
    soon = spawn(lambda: say("has its turn"), "soon")
    await asyncio.gather(done, shared)
    log("all done already: no yield")
    await asyncio.gather()
    log("no arguments: no yield")
    await soon


async def gather_failure(log):
    slow, failing, other = (spawn(worker(log, n, n, f), f"g{n}") for n, f in ((3, None), (1, "first"), (2, "second")))

    async def all_of_them():
        await asyncio.gather(slow, failing, other)

    await log.attempt("gather", all_of_them)
    log(f"the others go on: {slow.done()} {other.done()}")
    await log.attempt("slow", lambda: join(slow))
    await log.attempt("gather again", all_of_them)


async def gather_exceptions(log):
    tasks = [spawn(worker(log, n, n, f), f"g{n}") for n, f in ((1, None), (2, "fails"), (5, None))]
    asyncio.get_running_loop().call_later(3, tasks[2].cancel, "child")
    results = await asyncio.gather(*tasks, return_exceptions=True)
    log(f"{results[0]} {type(results[1]).__name__ == 'KeyError'} {isinstance(results[2], asyncio.CancelledError)}")

    async def without():
        await asyncio.gather(worker(log, 6, 1)(), cancelled)

    cancelled = spawn(worker(log, 7, 1), "cancelled")
    cancelled.cancel("before")
    await log.attempt("a cancelled child", without)
    log(f"asked {asyncio.current_task().cancelling()}")
    await sleep(2)


async def gather_cancelled(log):
    def slow_to_leave(name, delay):
        async def run():
            try:
                await log.watch(name, lambda: sleep(10))
            except asyncio.CancelledError:
                await sleep(delay)
                log(f"{name} has left")
                raise

        return run

    for returns_exceptions in (False, True):
        async def gathers():
            await asyncio.gather(*children, return_exceptions=returns_exceptions)

        children = [spawn(slow_to_leave(f"c{n}", n), f"c{n}") for n in (2, 1, 3)]
        task = spawn(lambda: log.watch("gather", gathers), "gatherer")
        await sleep(1)
        task.cancel()
        await log.attempt("join", lambda: join(task))
        await sleep(4)


async def gather_cancelled_late(log):
    """The cancellation comes when the children are done and the gather has not resumed."""
    futures = [asyncio.get_running_loop().create_future() for _ in range(2)]

    async def gathers():
        return await asyncio.gather(*futures)

    task = spawn(lambda: log.attempt("gather", gathers), "gatherer")
    await sleep()
    futures[0].set_result(1)
    futures[1].set_result(2)
    log(f"cancel {task.cancel()}")
    await task
    futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
    task = spawn(lambda: log.attempt("gather", gathers), "gatherer")
    await sleep()
    futures[0].set_exception(KeyError("first"))
    futures[1].cancel()
    await sleep()
    log(f"cancel {task.cancel()}")
    await task


PROGRAMS = [gather_results, gather_failure, gather_exceptions, gather_cancelled, gather_cancelled_late]
