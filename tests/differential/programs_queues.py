"""Queues under contention, cancellation and shutdown; programs_queues.cpp is its twin."""

import asyncio

from program import sleep, spawn


async def queue_hands_over(log):
    queue = asyncio.Queue(2)

    async def puts(first):
        for i in range(3):
            await queue.put(first + i)
            log(f"put {first + i}")

    async def gets(count):
        for _ in range(count):
            item = await queue.get()
            log(f"got {item}")
            if item % 2:
                await sleep(1)
            queue.task_done()

    tasks = [
        spawn(lambda: puts(0), "p0"),
        spawn(lambda: gets(2), "g0"),
        spawn(lambda: puts(10), "p1"),
        spawn(lambda: gets(4), "g1"),
    ]
    await queue.join()
    log(f"joined, size {queue.qsize()}")
    for task in tasks:
        await task


async def queue_item_is_stolen(log):
    """A woken getter finds nothing, and queues again at the tail."""
    queue = asyncio.Queue()

    async def gets():
        log(f"got {await queue.get()}")

    getters = [spawn(gets, f"g{n}") for n in range(3)]
    await sleep()
    queue.put_nowait("a")
    log(f"steals {queue.get_nowait()}")
    await sleep()
    for item in "bcd":
        queue.put_nowait(item)
    for getter in getters:
        await getter

    async def get_nowait():
        queue.get_nowait()

    await log.attempt("get_nowait", get_nowait)


async def queue_getter_cancelled(log):
    queue = asyncio.Queue()

    async def gets():
        log(f"got {await log.watch('get', queue.get)}")

    getters = [spawn(gets, f"g{n}") for n in range(4)]
    await sleep()
    getters[0].cancel("while waiting")
    queue.put_nowait(1)
    getters[1].cancel("after the wake-up")
    await sleep()
    queue.put_nowait(2)
    for getter in getters:
        await log.attempt("join", lambda: join(getter))


async def join(task):
    await task


async def queue_putter_cancelled(log):
    queue = asyncio.Queue(1)

    async def puts(item):
        await log.watch(f"put {item}", lambda: queue.put(item))
        log(f"put {item}")

    queue.put_nowait(0)
    putters = [spawn(lambda n=n: puts(n), f"p{n}") for n in range(1, 5)]
    await sleep()
    putters[1].cancel("while waiting")
    log(f"got {queue.get_nowait()}")
    putters[0].cancel("after the wake-up")

    async def put_nowait():
        queue.put_nowait(9)

    await log.attempt("put_nowait", put_nowait)
    await log.attempt("put_nowait", put_nowait)
    for _ in range(3):
        await sleep()
        log(f"got {await queue.get()}")
    for putter in putters:
        await log.attempt("join", lambda: join(putter))


async def queue_shut_down(log):
    for immediate in (False, True):
        queue = asyncio.Queue(1)

        async def gets():
            for _ in range(3):
                log(f"got {await log.watch('get', queue.get)}")
                await sleep(1)

        async def joins():
            await queue.join()
            log("joined")

        async def puts(item):
            await log.watch(f"put {item}", lambda: queue.put(item))
            log(f"put {item}")

        queue.put_nowait(1)
        tasks = [spawn(lambda: puts(2), "p2"), spawn(lambda: puts(3), "p3"), spawn(gets, "getter"), spawn(joins, "joiner")]
        await sleep()
        await sleep()
        await sleep()
        queue.shutdown(immediate)
        log(f"shut down, size {queue.qsize()}")

        async def done():
            queue.task_done()

        await log.attempt("task_done", done)
        await log.attempt("put", lambda: queue.put(8))
        for task in tasks[:3]:
            await log.attempt("join", lambda: join(task))
        await log.attempt("task_done", done)
        await log.attempt("task_done", done)
        await tasks[3]


class Job:
    """Is compared by priority alone, so that some are equal."""

    def __init__(self, priority, number):
        self.priority = priority
        self.number = number

    def __lt__(self, other):
        return self.priority < other.priority


async def priority_queue_orders(log):
    """Equal jobs leave in the order that heapq gives them."""
    queue = asyncio.PriorityQueue(6)

    async def puts(first):
        for i in range(8):
            await queue.put(Job((first + i * 5) % 3, first + i))
            log(f"put {first + i}")

    async def gets(count):
        for _ in range(count):
            job = await queue.get()
            log(f"got {job.priority}/{job.number}")
            if job.number % 3 == 0:
                await sleep(1)
            queue.task_done()

    tasks = [
        spawn(lambda: puts(0), "p0"),
        spawn(lambda: gets(5), "g0"),
        spawn(lambda: puts(10), "p1"),
        spawn(lambda: gets(11), "g1"),
    ]
    await queue.join()
    log(f"joined, size {queue.qsize()}")
    for task in tasks:
        await task


async def lifo_queue_cancelled_and_shut_down(log):
    queue = asyncio.LifoQueue(3)

    async def puts(item):
        await log.watch(f"put {item}", lambda: queue.put(item))
        log(f"put {item}")

    async def gets():
        while True:
            log(f"got {await log.watch('get', queue.get)}")
            await sleep()

    putters = [spawn(lambda n=n: puts(n), f"p{n}") for n in range(6)]
    await sleep()
    log(f"got {queue.get_nowait()}")
    putters[3].cancel("after the wake-up")
    getters = [spawn(gets, f"g{n}") for n in range(2)]
    await sleep()
    putters[4].cancel("while waiting")
    for _ in range(3):
        await sleep()
    queue.put_nowait(8)
    queue.put_nowait(9)
    queue.shutdown()
    log(f"shut down, size {queue.qsize()}")
    for task in putters + getters:
        await log.attempt("join", lambda: join(task))


PROGRAMS = [
    queue_hands_over,
    queue_item_is_stolen,
    queue_getter_cancelled,
    queue_putter_cancelled,
    queue_shut_down,
    priority_queue_orders,
    lifo_queue_cancelled_and_shut_down,
]
