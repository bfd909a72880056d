"""Programs drawn from a seed: whatever meets whatever; programs_storms.cpp is its twin and draws the same."""

import asyncio
import functools

from program import boom, sleep, spawn
from virtual_loop import TaskGroup

STORMS = 60
DEPTH_MAX = 3
LEAVES = (
    "yield", "yield", "sleep", "sleep", "set", "clear", "wait", "put", "get", "put_nowait", "get_nowait", "cancel", "cancel",
    "uncancel", "complete", "wait_for_future", "join", "soon", "later", "fail",
)
BRANCHES = (
    "lock", "lock", "permit", "permit", "timeout", "wait_for", "wait_for_task", "gather", "gather_exceptions", "group", "catch",
    "catch", "spawn",
)
CHILDREN = {"gather": 2, "gather_exceptions": 2, "group": 3}


class Draw:
    """A linear congruential generator, the same in both languages."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


class Operation:
    def __init__(self, draw, depth):
        is_leaf = depth == DEPTH_MAX or draw(2) == 0
        kinds = LEAVES if is_leaf else BRANCHES
        self.kind = kinds[draw(len(kinds))]
        self.number = draw(4)
        self.children = [] if is_leaf else [Operation(draw, depth + 1) for _ in range(CHILDREN.get(self.kind, 1))]


class Storm:
    def __init__(self, log, seed):
        draw = Draw(seed)
        self.log = log
        self.loop = asyncio.get_running_loop()
        self.lock = asyncio.Lock()
        self.semaphore = asyncio.Semaphore(2)
        self.event = asyncio.Event()
        self.queue = asyncio.Queue(2)
        self.futures = [self.loop.create_future() for _ in range(4)]
        self.scripts = [[Operation(draw, 0) for _ in range(2 + draw(5))] for _ in range(4)]
        self.workers = []

    async def main(self):
        self.workers = [spawn(functools.partial(self.work, n), f"w{n}") for n in range(4)]
        for worker in self.workers:
            await self.log.attempt("join", functools.partial(self.await_task, worker))

    async def await_task(self, task):
        await task

    async def work(self, who):
        for operation in self.scripts[who]:
            await self.run(operation, who)

    def complete(self, number):
        if self.futures[number].done():
            self.futures[number] = self.loop.create_future()
        else:
            self.futures[number].set_result(None)

    def call_back(self, number):
        self.log(f"called {number}")
        if number == 0:
            self.event.set()
        elif number == 1:
            self.complete(number)
        else:
            self.workers[number].cancel()

    def start(self, child, who, number):
        return spawn(lambda: self.run(child, who), f"{asyncio.current_task().get_name()}.{number}")

    async def run(self, operation, who):
        kind, number = operation.kind, operation.number
        if operation.children:
            await self.branch(kind, number, operation.children, who)
        else:
            await self.leaf(kind, number, who)
        self.log(f"{kind} {number}")

    async def leaf(self, kind, number, who):
        match kind:
            case "yield":
                await sleep()
            case "sleep":
                await sleep(number)
            case "set":
                self.event.set()
            case "clear":
                self.event.clear()
            case "wait":
                await self.event.wait()
            case "put":
                await self.queue.put(number)
            case "get":
                self.log(f"got {await self.queue.get()}")
            case "put_nowait":
                self.queue.put_nowait(number)
            case "get_nowait":
                self.log(f"got {self.queue.get_nowait()}")
            case "cancel":
                self.log(f"cancels {self.workers[number].cancel()}")
            case "uncancel":
                self.log(f"left {asyncio.current_task().uncancel()}")
            case "complete":
                self.complete(number)
            case "wait_for_future":
                await self.futures[number]
            case "join":
                if number > who:  # never in a circle
                    await self.workers[number]
            case "soon":
                self.loop.call_soon(self.call_back, number)
            case "later":
                self.loop.call_later(number, self.call_back, number)
            case "fail":
                boom("storm")

    async def branch(self, kind, number, children, who):
        first = children[0]
        match kind:
            case "lock":
                async with self.lock:
                    await self.run(first, who)
            case "permit":
                async with self.semaphore:
                    await self.run(first, who)
            case "timeout":
                async with asyncio.timeout(number):
                    await self.run(first, who)
            case "wait_for":
                await asyncio.wait_for(self.run(first, who), number)
            case "wait_for_task":
                await asyncio.wait_for(self.start(first, who, 0), number)
            case "gather" | "gather_exceptions":
                tasks = [self.start(child, who, n) for n, child in enumerate(children)]
                await asyncio.gather(*tasks, return_exceptions=kind == "gather_exceptions")
            case "group":
                async with TaskGroup() as group:
                    for child in children[1:]:
                        group.create_task(self.run(child, who), name=f"{asyncio.current_task().get_name()}+")
                    await self.run(first, who)
            case "catch":
                await self.log.attempt("caught", lambda: self.run(first, who))
            case "spawn":
                self.start(first, who, 0)


def storm(seed):
    async def program(log):
        await Storm(log, seed).main()

    program.program_name = f"storms/{seed}"
    return program


PROGRAMS = [storm(seed) for seed in range(STORMS)]
