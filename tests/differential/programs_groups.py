"""TaskGroup; programs_groups.cpp is its twin."""

import asyncio

from program import boom, sleep, spawn
from virtual_loop import TaskGroup


def worker(log, delay, failure=None, cleanup=None):
    async def work():
        log("begins")
        try:
            await log.watch("work", lambda: sleep(delay))
        except asyncio.CancelledError:
            if cleanup is None:
                raise
            await sleep(cleanup)
            boom("in cleanup")
        if failure:
            boom(failure)
        log("ends")
        return delay

    return work


async def join(task):
    return await task


async def group_succeeds(log):
    async with TaskGroup() as group:
        first = group.create_task(worker(log, 2)(), name="first")

        async def spawns():
            await sleep(1)
            group.create_task(worker(log, 3)(), name="grandchild")

        group.create_task(spawns(), name="spawns")
        log("body ends")
    log(f"all done, first {first.result()}")
    async with TaskGroup():
        log("empty")
    log("an empty group does not yield")

    async def late():
        group.create_task(worker(log, 1)(), name="late")

    async def run_late():
        await log.attempt("create_task in a finished group", late)

    await run_late()


async def group_child_fails(log):
    async def in_the_body():
        async with TaskGroup() as group:
            group.create_task(worker(log, 1, "one")(), name="fails")
            group.create_task(worker(log, 5)(), name="sibling")
            group.create_task(worker(log, 5, cleanup=1)(), name="cleans up")
            await log.watch("body", lambda: sleep(9))

    async def in_the_wait():
        async with TaskGroup() as group:
            group.create_task(worker(log, 1, "one")(), name="fails")
            group.create_task(worker(log, 1, "two")(), name="fails too")
            group.create_task(worker(log, 1)(), name="ends")
            group.create_task(worker(log, 2)(), name="sibling")

    for body in (in_the_body, in_the_wait):
        await log.attempt("group", body)
        log(f"asked {asyncio.current_task().cancelling()}")
        await log.attempt("next wait", sleep)


async def group_body_fails(log):
    async def fails():
        async with TaskGroup() as group:
            group.create_task(worker(log, 3)(), name="child")
            group.create_task(worker(log, 3, cleanup=2)(), name="cleans up")
            await sleep(1)
            boom("body")

    async def fails_at_once():
        async with TaskGroup() as group:
            group.create_task(worker(log, 3)(), name="never begins")
            boom("body")

    async def spawns_while_shutting_down():
        async with TaskGroup() as group:
            async def spawns():
                try:
                    await sleep(5)
                finally:
                    coroutine = worker(log, 1)()
                    try:
                        group.create_task(coroutine)
                    except RuntimeError:
                        log("refused")

            group.create_task(spawns(), name="spawns")
            await sleep()
            boom("body")

    for body in (fails, fails_at_once, spawns_while_shutting_down):
        await log.attempt("group", body)


async def group_cancelled(log):
    async def in_the_body():
        async with TaskGroup() as group:
            group.create_task(worker(log, 5)(), name="child")
            await log.watch("body", lambda: sleep(9))

    async def in_the_wait():
        async with TaskGroup() as group:
            group.create_task(worker(log, 5)(), name="child")
            group.create_task(worker(log, 6)(), name="other")

    async def with_a_failure():
        async with TaskGroup() as group:
            group.create_task(worker(log, 5, cleanup=1)(), name="cleans up")

    async def twice():
        async with TaskGroup() as group:
            group.create_task(worker(log, 5, cleanup=2)(), name="cleans up")

    for body in (in_the_body, in_the_wait, with_a_failure, twice):
        async def runs():
            await log.attempt("group", body)
            log(f"asked {asyncio.current_task().cancelling()}")
            await log.watch("next wait", lambda: sleep(1))

        task = spawn(runs, "runs")
        await sleep(1)
        task.cancel("outside")
        if body is twice:
            await sleep(1)
            task.cancel("again")
        await log.attempt("join", lambda: join(task))


async def group_cancelled_as_it_fails(log):
    """The child's failure and the cancellation from outside meet, in three orders."""
    loop = asyncio.get_running_loop()

    async def runs(body):
        async def group_of_one():
            async with TaskGroup() as group:
                group.create_task(worker(log, 2, "child")(), name="child")
                if body:
                    await log.watch("body", lambda: sleep(9))

        await log.attempt("group", group_of_one)
        log(f"asked {asyncio.current_task().cancelling()}")
        await log.attempt("next wait", lambda: sleep(1))

    for body in (True, False):
        for early in (True, False):
            if early:
                loop.call_later(2, lambda: log(f"cancels {task.cancel()}"))
            task = spawn(lambda: runs(body), "runs")
            if not early:
                loop.call_later(2, lambda: loop.call_soon(lambda: log(f"cancels {task.cancel()}")))
            await log.attempt("join", lambda: join(task))

    async def child():
        await sleep()
        asyncio.get_running_loop().call_soon(lambda: log(f"cancels {task.cancel()}"))
        boom("child")

    async def races():
        async with TaskGroup() as group:
            group.create_task(child(), name="child")
            await log.watch("body", lambda: sleep(9))

    task = spawn(lambda: log.watch("group", races), "races")
    await log.attempt("join", lambda: join(task))


async def groups_nested(log):
    async def inner_fails():
        async with TaskGroup() as outer:
            outer.create_task(worker(log, 5)(), name="outer child")

            async def inner():
                async with TaskGroup() as group:
                    group.create_task(worker(log, 1, "inner")(), name="inner child")
                    group.create_task(worker(log, 3)(), name="inner sibling")

            await log.watch("inner group", inner)

    async def outer_fails():
        async with TaskGroup() as outer:
            outer.create_task(worker(log, 1, "outer")(), name="outer child")

            async def inner():
                async with TaskGroup() as group:
                    group.create_task(worker(log, 3)(), name="inner child")
                    await log.watch("inner body", lambda: sleep(5))

            await log.watch("inner group", inner)

    async def under_a_timeout():
        async with asyncio.timeout(2):
            async with TaskGroup() as group:
                group.create_task(worker(log, 2, "at the deadline")(), name="child")
                await log.watch("body", lambda: sleep(5))

    for body in (inner_fails, outer_fails, under_a_timeout):
        await log.attempt("outer group", body)
        log(f"asked {asyncio.current_task().cancelling()}")


PROGRAMS = [
    group_succeeds,
    group_child_fails,
    group_body_fails,
    group_cancelled,
    group_cancelled_as_it_fails,
    groups_nested,
]
