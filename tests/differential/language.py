"""Runs programs of the language that README.md describes in asyncio; language_run.cpp is its twin.

    language.py < programs               one program (JSON) a line; prints each log, and an empty line after it
    language.py --sections < programs    prints each program before its log instead, as in golden/language.txt
    language.py --check FILE             compares with such a file; exits with 1 when logs differ
    language.py --serve                  tells first which version of CPython this is
    language.py --plain ...              leaves CPython as it is: without repairs.py
"""

import argparse
import asyncio
import collections
import difflib
import json
import pathlib
import re
import sys
import warnings

import repairs
from program import Log, boom, describe, end
from virtual_loop import TaskGroup, VirtualLoop, as_completed


class Item(int):
    """What queues carry: of every four numbers none is the least, so that equals meet in a PriorityQueue."""

    def __lt__(self, other):
        return self // 4 < other // 4


class Scope:
    """What the bodies around an operation have opened."""

    def __init__(self, group=None, timeout=None):
        self.group = group
        self.timeout = timeout


class Interpreter:
    def __init__(self, program, loop, log):
        self.program = program
        self.loop = loop
        self.log = log
        self.objects = {}
        self.tasks = {}
        self.children = collections.Counter()

    async def main(self):
        for name, kind, *arguments in self.program["objects"]:
            self.objects[name] = self.make(kind, arguments)
        for number, body in enumerate(self.program["tasks"]):
            name = f"t{number}"
            self.tasks[name] = asyncio.create_task(self.run_body(body, Scope()), name=name)
        for task in self.tasks.values():
            await self.log.attempt("join", lambda: self.join(task))

    async def join(self, task):
        await task

    def make(self, kind, arguments):
        if kind == "Future":
            return self.loop.create_future()
        if kind == "Condition":
            return asyncio.Condition(self.objects[arguments[0]])
        return getattr(asyncio, kind)(*arguments)

    def look(self, name):
        """Says what can be seen of an object from outside."""
        it = self.objects.get(name) or self.tasks[name]
        if isinstance(it, asyncio.Queue):
            return f"size {it.qsize()}, unfinished {it._unfinished_tasks}"
        if isinstance(it, asyncio.Task):
            return f"done {it.done()}, cancelled {it.cancelled()}, cancelling {it.cancelling()}"
        if isinstance(it, asyncio.Future):
            return f"done {it.done()}, cancelled {it.cancelled()}"
        return re.search(r"\[(.*)\]", repr(it))[1]

    def look_at_all(self):
        for name, *_ in self.program["objects"]:
            self.log(f"{name}: {self.look(name)}")

    async def run_body(self, body, scope):
        """Runs operations one after the other; the result is when the last of them ended."""
        for operation in body:
            await self.run(operation, scope)
        return self.loop.time()

    def text(self, operation):
        """Returns what a log calls the operation: it without its bodies."""
        return " ".join(str(part) for part in operation if isinstance(part, (str, int)))

    async def run(self, operation, scope):
        kind, *arguments = operation
        try:
            if hasattr(self, f"now_{kind}"):
                outcome = getattr(self, f"now_{kind}")(scope, *arguments)
            else:
                outcome = await getattr(self, f"wait_{kind}")(scope, *arguments)
        except GeneratorExit:
            raise  # the interpreter's way to drop a coroutine
        except BaseException as error:
            self.log(f"{self.text(operation)}: {describe(error)}")
            raise
        self.log(f"{self.text(operation)}: {'done' if outcome is None else outcome}")

    def call_back(self, body):
        """Runs operations that do not wait, as a callback."""
        for operation in body:
            try:
                self.run(operation, Scope()).send(None)
            except StopIteration:
                pass

    def name_of_child(self):
        parent = asyncio.current_task().get_name()
        if parent.startswith("Task-"):
            parent = "task"
        self.children[parent] += 1
        return f"{parent}.{self.children[parent] - 1}"

    def awaitable(self, part, scope):
        """Makes what a combinator is given: a coroutine, a task of its own, a task of the program."""
        if isinstance(part, list):
            return self.run_body(part, scope)
        if isinstance(part["task"], str):
            return self.tasks[part["task"]]
        return asyncio.create_task(self.run_body(part["task"], scope), name=self.name_of_child())

    def future(self, part, scope):
        return asyncio.ensure_future(self.awaitable(part, scope))

    def name(self, future):
        name = future.get_name()
        return "task" if name.startswith("Task-") else name

    def names(self, futures, all_futures):
        """Lists them in the order in which they were given, each once: CPython has sets here."""
        ordered = dict.fromkeys(all_futures)
        return "[" + ", ".join(self.name(future) for future in ordered if future in futures) + "]"

    # What never waits.

    def now_release(self, _, name):
        self.objects[name].release()

    def now_notify(self, _, name, count):
        self.objects[name].notify(count)

    def now_notify_all(self, _, name):
        self.objects[name].notify_all()

    def now_set(self, _, name):
        self.objects[name].set()

    def now_clear(self, _, name):
        self.objects[name].clear()

    def now_put_nowait(self, _, name, item):
        self.objects[name].put_nowait(Item(item))

    def now_get_nowait(self, _, name):
        return self.objects[name].get_nowait()

    def now_task_done(self, _, name):
        self.objects[name].task_done()

    def now_shutdown(self, _, name, immediate):
        self.objects[name].shutdown(bool(immediate))

    def now_resolve(self, _, name, result):
        self.objects[name].set_result(result)

    def now_fail(self, _, name):
        self.objects[name].set_exception(KeyError(name))

    def now_cancel(self, _, name, message=None):
        target = self.tasks.get(name) or self.objects[name]
        return target.cancel() if message is None else target.cancel(f"by {message}")

    def now_uncancel(self, _):
        return asyncio.current_task().uncancel()

    def now_look(self, _, name):
        return self.look(name)

    def now_log(self, _, text):
        return text

    def now_raise(self, _, text):
        boom(text)

    def now_soon(self, _, body):
        self.loop.call_soon(self.call_back, body)

    def now_later(self, _, delay, body):
        self.loop.call_later(delay, self.call_back, body)

    def now_spawn(self, _, body):
        asyncio.create_task(self.run_body(body, Scope()), name=self.name_of_child())

    def now_child(self, scope, body):
        if scope.group is None:
            return "no group"
        scope.group.create_task(self.run_body(body, scope), name=self.name_of_child())

    def now_reschedule(self, scope, delay):
        if scope.timeout is None:
            return "no timeout"
        scope.timeout.reschedule(None if delay is None else self.loop.time() + delay)

    # What may wait.

    async def wait_sleep(self, _, delay):
        await asyncio.sleep(delay)

    async def wait_acquire(self, _, name):
        await self.objects[name].acquire()

    async def wait_wait(self, _, name):
        result = await self.objects[name].wait()
        return result if isinstance(self.objects[name], asyncio.Barrier) else None

    async def wait_wait_until(self, _, name, event):
        await self.objects[name].wait_for(self.objects[event].is_set)

    async def wait_reset(self, _, name):
        await self.objects[name].reset()

    async def wait_abort(self, _, name):
        await self.objects[name].abort()

    async def wait_put(self, _, name, item):
        await self.objects[name].put(Item(item))

    async def wait_get(self, _, name):
        return await self.objects[name].get()

    async def wait_join(self, _, name):
        await self.objects[name].join()

    async def wait_await(self, _, name):
        return await (self.tasks.get(name) or self.objects[name])

    async def wait_with(self, scope, name, body):
        async with self.objects[name]:
            await self.run_body(body, scope)

    async def wait_timeout(self, scope, delay, body):
        async with asyncio.timeout(delay) as timeout:
            await self.run_body(body, Scope(scope.group, timeout))

    async def wait_wait_for(self, scope, delay, part):
        return await asyncio.wait_for(self.awaitable(part, scope), delay)

    async def wait_shield(self, scope, part):
        return await asyncio.shield(self.awaitable(part, scope))

    async def wait_gather(self, scope, *parts):
        results = await asyncio.gather(*[self.awaitable(part, scope) for part in parts])
        return "[" + ", ".join(str(result) for result in results) + "]"

    async def wait_gather_exceptions(self, scope, *parts):
        results = await asyncio.gather(*[self.awaitable(part, scope) for part in parts], return_exceptions=True)
        return "[" + ", ".join(
            describe(result) if isinstance(result, BaseException) else str(result) for result in results) + "]"

    async def wait_wait_tasks(self, scope, return_when, delay, *parts):
        futures = [self.future(part, scope) for part in parts]
        done, pending = await asyncio.wait(
            futures, timeout=delay, return_when=getattr(asyncio, return_when.upper()))
        return f"{self.names(done, futures)}, pending {self.names(pending, futures)}"

    async def wait_as_completed(self, scope, delay, *parts):
        futures = [self.future(part, scope) for part in parts]
        iterator = as_completed(futures, delay)
        try:
            async for future in iterator:
                self.log(f"completed {self.name(future)}")
        finally:
            repairs.leave(iterator)

    async def wait_group(self, scope, body, *children):
        async with TaskGroup() as group:
            inner = Scope(group, scope.timeout)
            for child in children:
                group.create_task(self.run_body(child, inner), name=self.name_of_child())
            await self.run_body(body, inner)

    async def wait_catch(self, scope, body):
        try:
            await self.run_body(body, scope)
        except GeneratorExit:
            raise
        except BaseException as error:
            return f"caught {describe(error)}"

    async def wait_finally(self, scope, body, cleanup):
        try:
            await self.run_body(body, scope)
        except GeneratorExit:
            raise
        except BaseException:
            await self.run_body(cleanup, scope)
            raise
        await self.run_body(cleanup, scope)


def run_program(program):
    """Runs a program in a new loop and returns its log."""
    loop = VirtualLoop()
    log = Log(loop)
    loop.set_exception_handler(log.handle)
    interpreter = Interpreter(program, loop, log)
    try:
        log.run(loop.create_task(interpreter.main(), name="main"))
        interpreter.look_at_all()
        return list(log.lines)
    finally:
        end(loop)


def text_of(log):
    return "".join(f"{line}\n" for line in log)


def check(path):
    """Runs the programs of a file of logs again; returns how many end otherwise."""
    differing = 0
    for section in pathlib.Path(path).read_text().split("== ")[1:]:
        program, _, golden = section.partition("\n")
        text = text_of(run_program(json.loads(program)))
        if text != golden:
            differing += 1
            print(f"== {program}")
            sys.stdout.writelines(difflib.unified_diff(golden.splitlines(True), text.splitlines(True), "recorded", "now"))
    return differing


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--plain", action="store_true")
    arguments.add_argument("--serve", action="store_true")
    arguments.add_argument("--sections", action="store_true")
    arguments.add_argument("--check", metavar="FILE")
    options = arguments.parse_args()
    warnings.simplefilter("ignore")  # coroutines that a closed group never awaits, and the like
    sys.unraisablehook = lambda _: None  # of what is dropped with its loop
    if not options.plain:
        repairs.apply()
    if options.check:
        return 1 if check(options.check) else 0
    if options.serve:
        print(sys.version.split()[0], flush=True)
    for line in sys.stdin:
        log = text_of(run_program(json.loads(line)))
        print(f"== {line}{log}" if options.sections else f"{log}\n", end="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
