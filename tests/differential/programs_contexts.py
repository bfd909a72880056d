"""Contexts, eager tasks, callbacks of futures, handlers and stops; programs_contexts.cpp is its twin."""

import asyncio
import contextvars

from program import boom, sleep, spawn

number = contextvars.ContextVar("number", default=0)


def spawn_eagerly(function, name, context=None):
    return asyncio.Task(function(), loop=asyncio.get_running_loop(), name=name, context=context, eager_start=True)


def see(log, what):
    log(f"{what}: {number.get()}")
    number.set(number.get() + 100)


async def context_copies(log):
    loop = asyncio.get_running_loop()
    number.set(1)

    async def child():
        see(log, "child begins")
        spawn_inner = spawn(inner, "inner")
        await sleep()
        see(log, "child goes on")
        await spawn_inner

    async def inner():
        see(log, "inner begins")
        await sleep(1)
        see(log, "inner ends")

    task = spawn(child, "child")
    loop.call_soon(see, log, "soon")
    number.set(2)
    loop.call_later(1, see, log, "later")
    loop.call_at(loop.time() + 2, see, log, "at")
    number.set(3)
    future = loop.create_future()
    future.add_done_callback(lambda _: see(log, "done"))
    number.set(4)
    future.set_result(None)
    see(log, "main")
    await sleep()
    see(log, "main again")
    await task
    await sleep(2)
    see(log, "main ends")


async def context_given(log):
    loop = asyncio.get_running_loop()
    number.set(1)
    context = contextvars.copy_context()
    number.set(2)

    async def increments():
        see(log, "begins")
        await sleep()
        see(log, "goes on")

    first = loop.create_task(increments(), name="first", context=context)
    second = loop.create_task(increments(), name="second", context=context)
    loop.call_soon(see, log, "soon", context=context)
    loop.call_later(1, see, log, "later", context=context)
    future = loop.create_future()
    future.add_done_callback(lambda _: see(log, "done"), context=context)
    future.set_result(None)
    await first
    await second
    await sleep(1)
    log(f"in the context: {context[number]}")
    context.run(see, log, "run")
    log(f"in the context: {context[number]}")
    log(f"here: {number.get()}")


async def eager_starts(log):
    loop = asyncio.get_running_loop()

    async def at_once():
        log("at once")

    async def waits():
        log("begins")
        await sleep()
        log("goes on")
        await sleep(1)
        log("ends")

    async def nests():
        log("nests")
        inner = spawn_eagerly(waits, "inner")
        log("has nested")
        await inner
        log("inner has ended")

    async def fails():
        boom("eagerly")

    async def cancels_itself():
        asyncio.current_task().cancel("self")
        log("before the wait")
        await log.watch("wait", sleep)

    loop.call_soon(log, "soon")
    usual = spawn(waits, "usual")
    done = spawn_eagerly(at_once, "done")
    log(f"done: {done.done()}")
    nesting = spawn_eagerly(nests, "nesting")
    failing = spawn_eagerly(fails, "failing")
    log(f"failing: {failing.done()}")
    cancelled = spawn_eagerly(cancels_itself, "cancelled")
    log(f"all: {len(asyncio.all_tasks())}")
    for task in (usual, done, nesting, failing, cancelled):
        await log.attempt("join", lambda: wait(task))
    log(f"all: {len(asyncio.all_tasks())}")


async def wait(task):
    return await task


async def eager_from_callbacks(log):
    loop = asyncio.get_running_loop()
    made = []

    async def waits():
        log("begins")
        await sleep()
        log("ends")

    def makes(name):
        log(f"makes {name}")
        made.append(spawn_eagerly(waits, name))
        log(f"has made {name}")

    loop.call_soon(makes, "first")
    loop.call_soon(log, "between")
    loop.call_later(1, makes, "second")
    await sleep(2)
    for task in made:
        await task


async def eager_cancellation(log):
    future = asyncio.get_running_loop().create_future()

    async def waits():
        await log.watch("future", lambda: wait(future))

    async def swallows():
        await log.attempt("future", lambda: wait(future))
        await sleep()
        log("goes on")

    first = spawn_eagerly(waits, "first")
    first.cancel("one")
    log(f"cancelling: {first.cancelling()}")
    log(f"future cancelled: {future.cancelled()}")
    await log.attempt("join", lambda: wait(first))
    future = asyncio.get_running_loop().create_future()
    second = spawn_eagerly(swallows, "second")
    third = spawn_eagerly(waits, "third")
    future.set_result(None)
    second.cancel("two")
    third.cancel()
    await log.attempt("join", lambda: wait(second))
    await log.attempt("join", lambda: wait(third))


async def eager_factory(log):
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)

    async def chain(depth):
        log(f"depth {depth}")
        if depth == 0:
            await sleep()
            log("bottom")
            return
        await asyncio.create_task(chain(depth - 1))
        log(f"back at {depth}")

    await chain(3)
    loop.set_task_factory(None)
    await chain(1)


async def done_callbacks(log):
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def first(_):
        log("first")

    def second(_):
        log(f"removes: {future.remove_done_callback(third)}")
        future.add_done_callback(fourth)

    def third(_):
        log("third")

    def fourth(_):
        log("fourth")

    for callback in (first, second, third, first, fourth):
        future.add_done_callback(callback)
    log(f"removed: {future.remove_done_callback(first)}")
    log(f"removed: {future.remove_done_callback(first)}")

    async def waits():
        await log.attempt("future", lambda: wait(future))

    task = spawn(waits, "waiter")
    await sleep()
    future.add_done_callback(first)
    loop.call_soon(log, "before")
    future.set_result(None)
    loop.call_soon(log, "behind")
    task.cancel("late")
    await sleep()
    log(f"removed: {future.remove_done_callback(first)}")
    await log.attempt("join", lambda: wait(task))


async def exception_handlers(log):
    loop = asyncio.get_running_loop()
    number.set(1)

    def handler(_, what):
        log(f"told {what['exception'].args[0]} in context {number.get()}")
        number.set(50)

    loop.set_exception_handler(handler)

    def fails(what):
        number.set(2)
        boom(what)

    loop.call_soon(fails, "soon")
    number.set(3)
    loop.call_later(1, fails, "later")
    future = loop.create_future()
    future.add_done_callback(lambda _: boom("done"))
    future.set_result(None)
    loop.call_soon(log, "goes on")
    await sleep(1)
    loop.call_exception_handler({"message": "by hand", "exception": KeyError("by hand")})
    log(f"main: {number.get()}")


def stops(log, loop):
    async def counts(name):
        for i in range(5):
            log(f"{name} {i}")
            if i == 2:
                loop.stop()
            await sleep(1 if name == "slow" else 0)

    quick = loop.create_task(counts("quick"), name="quick")
    slow = loop.create_task(counts("slow"), name="slow")
    for turn in range(3):
        loop.call_soon(lambda: log("in the run"))
        loop.run_forever()
        log(f"stopped {turn}")
        if turn == 1:
            loop.stop()
            loop.stop()
    log.run(quick)
    log.run(slow)
    log.run(slow)
    loop.call_later(3, loop.stop)
    loop.call_later(3, log, "due with the stop")
    loop.call_later(4, log, "due in the next run")
    loop.run_forever()
    log("stopped by a timer")
    loop.call_later(1, loop.stop)
    loop.run_forever()
    log("stopped again")


PROGRAMS = [
    context_copies,
    context_given,
    eager_starts,
    eager_from_callbacks,
    eager_cancellation,
    eager_factory,
    done_callbacks,
    exception_handlers,
    stops,
]
