"""Tasks, futures and cancellation; programs_tasks.cpp is its twin."""

import asyncio

from program import boom, sleep, spawn


async def sleep_zero_interleaving(log):
    async def steps(count):
        for i in range(count):
            log(f"step {i}")
            await sleep()
        return count

    tasks = [spawn(lambda count=count: steps(count), f"t{count}") for count in (3, 1, 2)]
    log("made all")
    for task in tasks:
        log(f"result {await task}")


async def tasks_start_in_order(log):
    async def leaf():
        log("leaf")

    async def branch():
        log("begins")
        leaves = [spawn(leaf, f"leaf{i}") for i in range(2)]
        await sleep()
        log("after a yield")
        for each in leaves:
            await each
            log("awaited")

    first, second = spawn(branch, "first"), spawn(branch, "second")
    await second
    log(f"first is done: {first.done()}")
    await first
    await first
    log("awaiting what is done does not yield")


async def future_callbacks(log):
    future = asyncio.get_running_loop().create_future()

    async def waiter():
        log(f"got {await future}")

    future.add_done_callback(lambda f: log(f"before the waiters {f.result()}"))
    tasks = [spawn(waiter, f"w{i}") for i in range(2)]
    await sleep()
    future.add_done_callback(lambda f: (log("adds another"), f.add_done_callback(lambda f: log("late one"))))
    future.add_done_callback(lambda f: boom("in a callback"))
    future.add_done_callback(lambda f: log("after the waiters"))
    log("sets the result")
    future.set_result(7)
    log("has set it")
    await log.attempt("set again", lambda: set_later(future))
    for task in tasks:
        await task
    future.add_done_callback(lambda f: log("done already"))
    log("added to a done one")
    await sleep()


async def set_later(future):
    future.set_result(8)


async def future_failures(log):
    loop = asyncio.get_running_loop()
    failing, cancelled, pending = loop.create_future(), loop.create_future(), loop.create_future()

    async def wait_on(future):
        await future

    async def ask(future):
        future.result()

    waiters = [
        spawn(lambda future=future: log.attempt("await", lambda: wait_on(future)), f"w{i}")
        for i, future in enumerate((failing, cancelled, failing))
    ]
    loop.call_later(2, failing.set_exception, KeyError("late"))
    loop.call_later(1, cancelled.cancel, "no more")
    for waiter in waiters:
        await waiter
    await log.attempt("result", lambda: ask(failing))
    await log.attempt("result", lambda: ask(cancelled))
    await log.attempt("result", lambda: ask(pending))
    log(f"cancel of a done one: {cancelled.cancel()} {failing.cancel()}")


async def cancel_before_start(log):
    async def never():
        log("runs")

    task = spawn(never, "never")
    task.cancel("early")
    log(f"done {task.done()} cancelling {task.cancelling()}")
    await log.attempt("await", lambda: forward(task))
    other = spawn(never, "other")
    other.cancel()
    log(f"takes it back: {other.uncancel()}")
    await log.attempt("await", lambda: forward(other))
    log(f"cancel when done: {task.cancel()} {other.cancel()}")


async def forward(awaitable):
    return await awaitable


async def cancel_after_wakeup(log):
    future = asyncio.get_running_loop().create_future()
    task = spawn(lambda: log.attempt("await", lambda: forward(future)), "waiter")
    await sleep()
    future.set_result(1)
    log(f"cancel between: {task.cancel('between')}")
    await task
    log(f"value is lost, cancelling {task.cancelling()}")

    async def yields():
        await log.attempt("yield", sleep)
        await log.attempt("next yield", sleep)

    task = spawn(yields, "yields")
    await sleep()
    task.cancel("while ready")
    task.cancel("again while ready")
    await task
    log(f"cancelling {task.cancelling()}")


async def cancel_through_a_chain(log):
    async def inner():
        await log.watch("inner", lambda: sleep(10))

    async def middle():
        await log.watch("middle", lambda: forward(spawn(inner, "inner")))

    async def outer():
        await log.watch("outer", lambda: forward(spawn(middle, "middle")))

    task = spawn(outer, "outer")
    await sleep(1)
    task.cancel("from the top")
    log("has asked")
    await log.attempt("await", lambda: forward(task))
    log(f"cancelled {task.cancelled()}")


async def cancel_twice(log):
    async def stubborn():
        await log.attempt("first wait", lambda: sleep(10))
        await log.attempt("second wait", lambda: sleep(10))
        log(f"cancelling {asyncio.current_task().cancelling()}")

    task = spawn(stubborn, "stubborn")
    await sleep(1)
    log(f"{task.cancel('one')} {task.cancel('two')}")
    await sleep(1)
    task.cancel("three")
    await log.attempt("await", lambda: forward(task))


async def uncancel_clears(log):
    async def cancels_itself(takes_back):
        me = asyncio.current_task()
        me.cancel("myself")
        if takes_back:
            log(f"left {me.uncancel()}")
        await log.attempt("wait", lambda: sleep(1))
        await log.attempt("wait", lambda: sleep(1))

    for takes_back in (False, True):
        await spawn(lambda t=takes_back: cancels_itself(t), "self")

    async def cancelled_at_the_end():
        asyncio.current_task().cancel("too late to wait")
        return 5

    await log.attempt("await", lambda: forward(spawn(cancelled_at_the_end, "ends")))

    async def cancelled_and_fails():
        asyncio.current_task().cancel("lost")
        boom("failure")

    await log.attempt("await", lambda: forward(spawn(cancelled_and_fails, "fails")))


async def cancel_in_cleanup(log):
    async def cleans_up():
        try:
            await log.watch("work", lambda: sleep(10))
        finally:
            log("cleans up")
            await log.watch("cleanup", lambda: sleep(2))
            log("is clean")

    one, two = spawn(cleans_up, "one"), spawn(cleans_up, "two")
    await sleep(1)
    one.cancel("a")
    two.cancel("b")
    await sleep(1)
    two.cancel("c")
    await log.attempt("one", lambda: forward(one))
    await log.attempt("two", lambda: forward(two))


async def cancel_a_joiner(log):
    async def work():
        await log.watch("work", lambda: sleep(3))
        return 1

    shared = spawn(work, "shared")
    first = spawn(lambda: log.attempt("join", lambda: forward(shared)), "first")
    second = spawn(lambda: log.attempt("join", lambda: forward(shared)), "second")
    await sleep(1)
    first.cancel()
    await first
    await second
    log(f"shared cancelled {shared.cancelled()} second asked {second.cancelling()}")


async def cancel_meets_timer(log):
    """The sleeper's timer, the canceller's timer: the same deadline, in both orders of arming."""
    async def canceller():
        await sleep(2)
        log(f"cancels {sleeper.cancel('at two')}")

    async def sleeps():
        await log.attempt("sleep", lambda: sleep(2))

    sleeper = spawn(sleeps, "sleeper")
    await spawn(canceller, "canceller")
    await sleeper
    other = spawn(canceller, "canceller")
    sleeper = spawn(sleeps, "sleeper")
    await other
    await sleeper


PROGRAMS = [
    sleep_zero_interleaving,
    tasks_start_in_order,
    future_callbacks,
    future_failures,
    cancel_before_start,
    cancel_after_wakeup,
    cancel_through_a_chain,
    cancel_twice,
    uncancel_clears,
    cancel_in_cleanup,
    cancel_a_joiner,
    cancel_meets_timer,
]
