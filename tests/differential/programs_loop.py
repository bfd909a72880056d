"""Callbacks, timers, and what a loop keeps between runs; programs_loop.cpp is its twin."""

import asyncio

from program import boom, sleep, spawn


async def callbacks_in_order(log):
    loop = asyncio.get_running_loop()

    def nests():
        log("nests")
        loop.call_soon(log, "nested")

    loop.call_soon(nests)
    loop.call_soon(log, "second")
    doomed = loop.call_soon(log, "never")

    def cancels():
        log("cancels two")
        doomed_behind.cancel()

    doomed.cancel()
    loop.call_soon(cancels)
    doomed_behind = loop.call_soon(log, "cancelled when ready")
    loop.call_soon(boom, "in a callback")
    loop.call_soon(log, "last")
    task = spawn(lambda: sleep_and_log(log), "task between")
    loop.call_soon(log, "behind the task")
    await task
    log("ends")


async def sleep_and_log(log):
    log("runs")
    await sleep()
    log("runs again")


async def timers_and_callbacks(log):
    loop = asyncio.get_running_loop()
    loop.call_later(3, log, "three")

    def one():
        log("one")
        loop.call_soon(log, "soon after one")
        loop.call_later(0, log, "none after one")

    loop.call_later(1, one)
    loop.call_at(1, log, "one again")
    loop.call_later(-5, log, "negative")
    loop.call_at(-5, log, "in the past")
    loop.call_later(-5, log, "never at all").cancel()
    loop.call_later(0, log, "none")
    loop.call_soon(log, "soon")
    cancelled = loop.call_later(2, log, "never")
    loop.call_later(1, cancelled.cancel)
    due = loop.call_later(3, log, "never either")
    loop.call_at(3, lambda: log("behind"))
    loop.call_later(1, lambda: due.cancel())
    log("sleeps")
    await sleep()
    log("yielded once")
    await sleep(3)
    log("slept")


async def timers_cancel_each_other(log):
    """All of one deadline: a cancelled one is skipped although it was ready."""
    loop = asyncio.get_running_loop()
    timers = []

    def fire(number):
        log(f"timer {number}")
        timers[(number + 2) % 6].cancel()

    timers.extend(loop.call_later(1, fire, number) for number in range(6))
    await sleep(1)
    log("behind them")
    await sleep()


def leftovers(log, loop):
    async def lingers():
        log("begins")
        await log.watch("first sleep", lambda: sleep(2))
        log("lingers")
        await sleep()
        log("goes")
        return 4

    async def first():
        loop.call_soon(log, "runs in the last batch")
        loop.call_soon(lambda: loop.call_soon(log, "is left over"))
        return 1

    task = loop.create_task(lingers(), name="lingers")
    log.run(loop.create_task(first(), name="first"))

    async def second():
        log("sees")
        await sleep(1)

    log.run(loop.create_task(second(), name="second"))
    log.run(task)
    log.run(task)


def stopping(log, loop):
    async def ticks():
        for i in range(4):
            log(f"tick {i}")
            await sleep()

    task = loop.create_task(ticks(), name="ticks")
    loop.stop()
    loop.run_forever()
    log("one pass")
    loop.call_soon(loop.stop)
    loop.call_soon(log, "after stop in the batch")
    loop.call_soon(lambda: loop.call_soon(log, "next time"))
    loop.run_forever()
    log("stopped")
    future = loop.create_future()
    loop.call_soon(loop.stop)
    log.run(future)
    future.set_result(1)

    async def rests():
        await sleep(1)
        await sleep(1)

    log.run(loop.create_task(rests(), name="rests"))
    log.run(task)


def stuck(log, loop):
    async def waits():
        await log.attempt("for ever", lambda: wait_for_ever())

    async def wait_for_ever():
        await loop.create_future()

    async def other():
        await sleep(5)
        log("ends")

    loop.create_task(other(), name="other")
    log.run(loop.create_task(waits(), name="main"))


PROGRAMS = [callbacks_in_order, timers_and_callbacks, timers_cancel_each_other, leftovers, stopping, stuck]
