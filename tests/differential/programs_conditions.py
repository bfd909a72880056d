"""Conditions and barriers under contention and cancellation; programs_conditions.cpp is its twin."""

import asyncio

from program import sleep, spawn


async def join(task):
    await task


async def condition_hands_over(log):
    condition = asyncio.Condition()
    items = []

    async def consumes(count):
        for _ in range(count):
            async with condition:
                await condition.wait_for(lambda: items)
                log(f"took {items.pop(0)}")
            await sleep()

    async def produces(first, count):
        for i in range(count):
            async with condition:
                items.append(first + i)
                log(f"made {first + i}")
                condition.notify()
            await sleep(i)

    tasks = [
        spawn(lambda: consumes(2), "c0"),
        spawn(lambda: consumes(3), "c1"),
        spawn(lambda: produces(0, 3), "p0"),
        spawn(lambda: produces(10, 2), "p1"),
    ]
    for task in tasks:
        await task
    log(f"locked {condition.locked()}")


async def condition_notifies_some(log):
    condition = asyncio.Condition()

    async def waits():
        async with condition:
            await condition.wait()
            log("notified")
            await sleep()

    tasks = [spawn(waits, f"w{n}") for n in range(6)]
    await sleep()
    for count in (1, 2, 0):
        async with condition:
            condition.notify(count)
            log(f"notify {count}")
            await sleep()
        await sleep(1)
    async with condition:
        condition.notify_all()
        log("notify all")
    for task in tasks:
        await task


async def condition_cancelled(log):
    """While it waits, after it was notified, and while it takes the lock: it has the lock, and the last request counts."""
    condition = asyncio.Condition()

    async def waits():
        async with condition:
            try:
                await log.watch("wait", condition.wait)
                log("notified")
            finally:
                log(f"locked {condition.locked()}")

    tasks = [spawn(waits, f"w{n}") for n in range(5)]
    await sleep()
    tasks[0].cancel("while waiting")
    await sleep()
    async with condition:
        condition.notify()
        tasks[1].cancel("after the notification")
        await sleep()
        tasks[1].cancel("while it takes the lock")
        await sleep()
        tasks[1].cancel("and again")
        condition.notify()
        await sleep()
        tasks[2].cancel("too")
        await sleep()
        log("gives the lock up")
    for task in tasks[:4]:
        await log.attempt("join", lambda: join(task))
    async with condition:
        condition.notify()
    await log.attempt("join", lambda: join(tasks[4]))


async def condition_misused(log):
    lock = asyncio.Lock()
    condition = asyncio.Condition(lock)

    async def notifies():
        condition.notify()

    async def releases():
        condition.release()

    await log.attempt("wait", condition.wait)
    await log.attempt("notify", notifies)
    await log.attempt("release", releases)
    await lock.acquire()
    log(f"locked {condition.locked()}")

    async def waits():
        await asyncio.wait_for(condition.wait(), 1)

    await log.attempt("wait", waits)
    log(f"locked {lock.locked()}")
    condition.release()
    log(f"locked {lock.locked()}")


async def barrier_rounds(log):
    barrier = asyncio.Barrier(3)

    async def passes(pause):
        for i in range(3):
            await sleep(pause)
            number = await barrier.wait()
            log(f"round {i}: number {number}, waiting {barrier.n_waiting}")

    tasks = [spawn(lambda n=n: passes(n), f"p{n}") for n in range(3)]
    for task in tasks:
        await task


async def barrier_crowded(log):
    """More come than fit: they wait until the round before has left."""
    barrier = asyncio.Barrier(2)

    async def passes():
        for i in range(2):
            number = await barrier.wait()
            log(f"turn {i}: number {number}, waiting {barrier.n_waiting}")

    tasks = [spawn(passes, f"p{n}") for n in range(5)]
    for _ in range(6):
        await sleep()
    log(f"waiting {barrier.n_waiting}")
    await barrier.wait()
    for _ in range(3):
        await sleep()
    for task in tasks:
        log(f"done {task.done()}")


async def barrier_cancelled(log):
    barrier = asyncio.Barrier(4)

    async def passes():
        await log.watch("wait", barrier.wait)
        log("passed")

    tasks = [spawn(passes, f"p{n}") for n in range(3)]
    await sleep()
    tasks[0].cancel("leave")
    await sleep()
    log(f"waiting {barrier.n_waiting}")
    tasks += [spawn(passes, f"p{n}") for n in range(3, 5)]
    await sleep()
    tasks[2].cancel("too late")
    log(f"waiting {barrier.n_waiting}")
    late = spawn(passes, "late")
    for task in tasks:
        await log.attempt("join", lambda: join(task))
    log(f"waiting {barrier.n_waiting}")
    late.cancel()
    await log.attempt("join", lambda: join(late))


async def barrier_reset_and_aborted(log):
    barrier = asyncio.Barrier(3)

    async def passes():
        for _ in range(3):
            await log.attempt("wait", barrier.wait)

    tasks = [spawn(passes, f"p{n}") for n in range(2)]
    await sleep()
    await barrier.reset()
    log(f"reset, waiting {barrier.n_waiting}, broken {barrier.broken}")
    late = spawn(barrier.wait, "late")
    await sleep()
    log(f"waiting {barrier.n_waiting}")
    for _ in range(4):
        await sleep()
    await barrier.abort()
    log(f"aborted, broken {barrier.broken}")
    await log.attempt("wait", barrier.wait)
    for task in [*tasks, late]:
        await log.attempt("join", lambda: join(task))
    await barrier.reset()
    log(f"broken {barrier.broken}")
    more = [spawn(barrier.wait, f"m{n}") for n in range(2)]
    await sleep()
    log(f"number {await barrier.wait()}")
    await barrier.reset()
    for task in more:
        await log.attempt("join", lambda: join(task))


PROGRAMS = [
    condition_hands_over,
    condition_notifies_some,
    condition_cancelled,
    condition_misused,
    barrier_rounds,
    barrier_crowded,
    barrier_cancelled,
    barrier_reset_and_aborted,
]
