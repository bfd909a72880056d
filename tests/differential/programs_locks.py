"""Lock, Event and Semaphore under contention and cancellation; programs_locks.cpp is its twin."""

import asyncio

from program import sleep, spawn


async def lock_contention(log):
    lock = asyncio.Lock()

    async def holder(turns, pause):
        for i in range(turns):
            await lock.acquire()
            log(f"has it {i}")
            await sleep(pause)
            lock.release()
            log(f"gave it up, locked {lock.locked()}")

    tasks = [spawn(lambda a=a: holder(*a), f"h{n}") for n, a in enumerate([(2, 0), (2, 1), (3, 0)])]
    for task in tasks:
        await task


async def lock_cancelled_while_waiting(log):
    lock = asyncio.Lock()
    await lock.acquire()

    async def wants():
        await log.watch("acquire", lock.acquire)
        log("has it")
        lock.release()

    tasks = [spawn(wants, f"w{n}") for n in range(4)]
    await sleep()
    tasks[1].cancel("leave")
    tasks[3].cancel("leave")
    lock.release()
    log("released")
    for task in tasks:
        await log.attempt("join", lambda: join(task))
    log(f"locked {lock.locked()}")


async def join(task):
    await task


async def lock_cancelled_after_wakeup(log):
    """The wake-up goes to the next; a newcomer has to queue; a queue of cancelled ones does not count."""
    lock = asyncio.Lock()

    async def wants(pause=0):
        await log.watch("acquire", lock.acquire)
        log("has it")
        await sleep(pause)
        lock.release()

    await lock.acquire()
    first, second = spawn(wants, "first"), spawn(wants, "second")
    await sleep()
    lock.release()
    first.cancel()
    newcomer = spawn(wants, "newcomer")
    log(f"locked {lock.locked()}")
    for task in (first, second, newcomer):
        await log.attempt("join", lambda: join(task))
    await lock.acquire()
    doomed = [spawn(wants, f"doomed{n}") for n in range(2)]
    await sleep()
    lock.release()
    for task in doomed:
        task.cancel()
    await log.attempt("acquire", lock.acquire)
    lock.release()
    for task in doomed:
        await log.attempt("join", lambda: join(task))


async def lock_released_by_another(log):
    lock = asyncio.Lock()
    await lock.acquire()
    asyncio.get_running_loop().call_later(2, lock.release)
    await log.attempt("acquire", lock.acquire)

    async def releases():
        lock.release()

    await log.attempt("release", releases)
    await log.attempt("release again", releases)


async def event_wakes_all(log):
    event = asyncio.Event()

    async def waits():
        await log.watch("wait", event.wait)
        log(f"through, set {event.is_set()}")

    tasks = [spawn(waits, f"w{n}") for n in range(4)]
    await sleep()
    tasks[0].cancel()
    event.set()
    tasks[2].cancel("after set")
    event.clear()
    late = spawn(waits, "late")
    log("set and cleared")
    for task in tasks:
        await log.attempt("join", lambda: join(task))
    log(f"late is done: {late.done()}")
    event.set()
    event.set()
    await event.wait()
    log("no wait when set")
    await late


async def semaphore_contention(log):
    semaphore = asyncio.Semaphore(2)

    async def uses(turns, pause):
        for i in range(turns):
            await semaphore.acquire()
            log(f"in {i}, locked {semaphore.locked()}")
            await sleep(pause)
            log("out")
            semaphore.release()

    tasks = [spawn(lambda a=a: uses(*a), f"u{n}") for n, a in enumerate([(2, 0), (1, 1), (2, 1), (2, 0)])]
    for task in tasks:
        await task
    semaphore.release()
    log(f"locked {semaphore.locked()}")


async def semaphore_cancelled(log):
    semaphore = asyncio.Semaphore(0)

    async def wants():
        await log.watch("acquire", semaphore.acquire)
        log("has a permit")

    tasks = [spawn(wants, f"w{n}") for n in range(6)]
    await sleep()
    tasks[1].cancel("while waiting")
    semaphore.release()
    semaphore.release()
    tasks[0].cancel("after the grant")
    log(f"locked {semaphore.locked()}")
    newcomer = spawn(wants, "newcomer")
    await sleep()
    await sleep()
    semaphore.release()
    tasks[3].cancel("after its grant")
    semaphore.release()
    await sleep()
    await sleep()
    semaphore.release()
    semaphore.release()
    for task in [*tasks, newcomer]:
        await log.attempt("join", lambda: join(task))
    log(f"locked {semaphore.locked()}")


async def semaphore_bounded(log):
    semaphore = asyncio.BoundedSemaphore(1)

    async def releases():
        semaphore.release()

    await log.attempt("release", releases)
    await semaphore.acquire()
    waiter = spawn(semaphore.acquire, "waiter")
    await sleep()
    await log.attempt("release", releases)
    await log.attempt("release while a grant is under way", releases)
    await waiter
    log(f"locked {semaphore.locked()}")


PROGRAMS = [
    lock_contention,
    lock_cancelled_while_waiting,
    lock_cancelled_after_wakeup,
    lock_released_by_another,
    event_wakes_all,
    semaphore_contention,
    semaphore_cancelled,
    semaphore_bounded,
]
