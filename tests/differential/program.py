"""What the programs of this folder are written with; program.hpp is its twin."""

import asyncio
import inspect

from virtual_loop import Stuck, VirtualLoop

# A task that waits for a lock in Condition.wait cannot be cancelled; when nobody releases it, the task is dropped.
ROUNDS_MAX = 30


def describe(error):
    """Says in one word or two what was raised, in terms that both languages have."""
    if isinstance(error, asyncio.CancelledError):
        return f"cancelled ({error.args[0]})" if error.args and error.args[0] else "cancelled"
    if isinstance(error, BaseExceptionGroup):
        return f"group [{', '.join(describe(inner) for inner in error.exceptions)}]"
    for kind, words in (
        (TimeoutError, "timed out"),
        (asyncio.InvalidStateError, "invalid state"),
        (asyncio.QueueEmpty, "queue empty"),
        (asyncio.QueueFull, "queue full"),
        (getattr(asyncio, "QueueShutDown", ()), "queue shut down"),
        (asyncio.BrokenBarrierError, "barrier broken"),
        (KeyError, "failed"),  # the error that programs raise themselves
    ):
        if isinstance(error, kind):
            return f"failed: {error.args[0]}" if kind is KeyError else words
    return "usage error"


def boom(what):
    raise KeyError(what)


class Log:
    """Keeps the lines of one run: (virtual time) task what."""

    def __init__(self, loop):
        self.loop = loop
        self.lines = []

    def __call__(self, what):
        if not self.loop.is_running():
            who = "outside"
        elif (task := asyncio.current_task()) is None:
            who = "callback"
        else:
            # Names that the loop makes up differ between the two. (CPython 3.13.0 names what a factory made "None".)
            who = "task" if task.get_name().startswith("Task-") or task.get_name() == "None" else task.get_name()
        self.lines.append(f"({self.loop.time()}) {who} {what}")

    async def attempt(self, what, body):
        """Runs `body` and logs how it ends; whatever it raises ends here."""
        try:
            await body()
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                raise  # the interpreter's way to drop a coroutine
            self(f"{what}: {describe(error)}")
        else:
            self(f"{what}: done")

    async def watch(self, what, body):
        """Runs `body` and logs what it raises, which goes on."""
        try:
            return await body()
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                raise
            self(f"{what}: {describe(error)}")
            raise

    def handle(self, _, what):
        if "callback" in what["message"]:
            self(f"handler: {describe(what['exception'])}")

    def run(self, future):
        """Runs the loop until `future` is done, and logs how it ended."""
        try:
            self.loop.run_until_complete(future)
        except Stuck:
            self("stuck")
        except BaseException as error:
            self(describe(error))
        else:
            self("done")


def spawn(function, name):
    return asyncio.create_task(function(), name=name)


async def sleep(seconds=0):
    await asyncio.sleep(seconds)


def run_program(function):
    """Runs a program in a new loop and returns its log. A coroutine function is run as the task `main`."""
    loop = VirtualLoop()
    log = Log(loop)
    loop.set_exception_handler(log.handle)
    try:
        if inspect.iscoroutinefunction(function):
            log.run(loop.create_task(function(log), name="main"))
        else:
            function(log, loop)
        lines = list(log.lines)
    finally:
        end(loop)
    return lines


def end(loop):
    """Cancels what is left until it goes, without a word: how a loop ends is no part of the comparison."""
    loop.set_exception_handler(lambda *_: None)
    for _ in range(ROUNDS_MAX):
        if not (tasks := asyncio.all_tasks(loop)):
            break
        for task in tasks:
            task.cancel()
        loop.call_soon(loop.stop)
        loop.run_forever()
    loop.close()
