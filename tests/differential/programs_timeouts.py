"""timeout and wait_for; programs_timeouts.cpp is its twin."""

import asyncio

from program import boom, sleep, spawn


def within(delay, body):
    """A coroutine function that runs `body` under a timeout."""

    async def run():
        async with asyncio.timeout(delay):
            return await body()

    return run


def waits_for(make, delay):
    async def run():
        return await asyncio.wait_for(make(), delay)

    return run


async def join(task):
    return await task


async def timeout_expires(log):
    await log.attempt("in time", within(2, lambda: sleep(1)))
    await log.attempt("too late", within(1, lambda: log.watch("body", lambda: sleep(2))))
    await log.attempt("at the deadline", within(1, lambda: log.watch("body", lambda: sleep(1))))
    await log.attempt("no deadline", within(None, lambda: sleep(1)))

    async def fails():
        boom("body")

    await log.attempt("fails", within(1, fails))

    async def swallows():
        await log.attempt("body", lambda: sleep(3))

    await log.attempt("swallowed", within(1, swallows))
    log(f"asked {asyncio.current_task().cancelling()}")
    await log.attempt("next wait", sleep)


async def timeout_in_the_past(log):
    async def computes():
        log("computes")

    async def yields():
        log("before the yield")
        await log.watch("yield", sleep)

    for delay in (0, -1):
        await log.attempt("no wait", within(delay, computes))
        await log.attempt("yields", within(delay, yields))
        await log.attempt("sleeps", within(delay, lambda: log.watch("sleep", lambda: sleep(1))))


async def timeouts_nested(log):
    async def inner_first():
        await log.attempt("inner", within(1, lambda: sleep(5)))
        await log.watch("rest", lambda: sleep(5))

    async def outer_first():
        await log.watch("inner", within(2, lambda: log.watch("body", lambda: sleep(5))))

    await log.attempt("outer", within(3, inner_first))
    await log.attempt("outer", within(1, outer_first))
    await log.attempt("outer of two equal ones", within(2, outer_first))


async def timeout_rescheduled(log):
    loop = asyncio.get_running_loop()

    async def later():
        async with asyncio.timeout(1) as scope:
            scope.reschedule(loop.time() + 3)
            await sleep(2)
            log(f"expired {scope.expired()}")
            scope.reschedule(loop.time())
            log("due now")
            await log.watch("wait", lambda: sleep(5))

    async def never():
        async with asyncio.timeout(1) as scope:
            scope.reschedule(None)
            await sleep(2)

        async def again():
            scope.reschedule(5)

        await log.attempt("reschedule when it is over", again)

    await log.attempt("later", later)
    await log.attempt("never", never)


async def timeout_meets_cancel(log):
    """Cancelled from outside in the iteration of the deadline: before it, after it, and while the wake-up is under way."""
    async def waits(first):
        if first:
            await sleep()
        await log.watch("timeout", within(2, lambda: log.watch("body", lambda: sleep(5))))

    async def cancels(delay):
        await sleep(delay)
        log(f"cancels {victim.cancel('outside')}")

    for first in (False, True):
        canceller = spawn(lambda: cancels(2), "canceller")
        victim = spawn(lambda: waits(first), "victim")
        await log.attempt("join", lambda: join(victim))
        log(f"asked {victim.cancelling()}")
        await canceller
    loop = asyncio.get_running_loop()
    victim = spawn(lambda: waits(False), "victim")
    await sleep()
    loop.call_later(2, lambda: log(f"cancels {victim.cancel()}"))
    await log.attempt("join", lambda: join(victim))
    victim = spawn(lambda: waits(False), "victim")
    loop.call_later(2, lambda: log(f"cancels {victim.cancel()}"))
    await log.attempt("join", lambda: join(victim))


async def wait_for_results(log):
    async def work(delay):
        log("works")
        await log.watch("work", lambda: sleep(delay))
        log("has worked")
        return 1

    await log.attempt("inline, in time", waits_for(lambda: work(1), 2))
    await log.attempt("inline, late", waits_for(lambda: work(3), 2))
    await log.attempt("inline, no time", waits_for(lambda: work(3), 0))
    task = spawn(lambda: work(1), "task")
    await log.attempt("task, in time", waits_for(lambda: task, 2))
    await log.attempt("task, done, no time", waits_for(lambda: task, 0))
    task = spawn(lambda: work(3), "task")
    await log.attempt("task, late", waits_for(lambda: task, 2))
    task = spawn(lambda: work(3), "task")
    await sleep()
    await log.attempt("task, no time", waits_for(lambda: task, 0))
    task = spawn(lambda: work(1), "task")
    await log.attempt("task, no limit", waits_for(lambda: task, None))
    future = asyncio.get_running_loop().create_future()
    await log.attempt("future", waits_for(lambda: future, 1))
    log(f"cancelled {future.cancelled()}")


async def wait_for_the_stubborn(log):
    def stubborn(fails):
        async def run():
            try:
                await sleep(10)
            except asyncio.CancelledError:
                log("asked to leave")
                await sleep(3)
            if fails:
                boom("late failure")
            return 5

        return run

    for delay in (1, 0):
        for fails in (False, True):
            task = spawn(stubborn(fails), "stubborn")
            await sleep()
            await log.attempt("wait_for", waits_for(lambda: task, delay))


async def wait_for_cancelled(log):
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    async def waits():
        log(f"got {await log.watch('wait_for', waits_for(lambda: future, 5))}")

    task = spawn(waits, "waits")
    await sleep(1)
    task.cancel("outside")
    await log.attempt("join", lambda: join(task))
    log(f"future cancelled {future.cancelled()}")
    future = loop.create_future()
    task = spawn(waits, "waits")
    await sleep()
    future.set_result(3)
    task.cancel("after the result")
    await log.attempt("join", lambda: join(task))
    future = loop.create_future()
    task = spawn(waits, "waits")
    loop.call_later(5, lambda: future.done() or future.set_result(4))
    await log.attempt("result and deadline at once", lambda: join(task))
    future = loop.create_future()
    loop.call_later(5, lambda: future.done() or future.set_result(5))
    task = spawn(waits, "waits")
    await log.attempt("deadline after the result", lambda: join(task))


PROGRAMS = [
    timeout_expires,
    timeout_in_the_past,
    timeouts_nested,
    timeout_rescheduled,
    timeout_meets_cancel,
    wait_for_results,
    wait_for_the_stubborn,
    wait_for_cancelled,
]
