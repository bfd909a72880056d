"""CPython's own event loop on a virtual clock, with what CPython leaves open decided as mishap's calm order does.

Only this much is replaced: the clock jumps to the next deadline when nothing is ready; timers of one deadline run in the
order in which they were armed (CPython's heap leaves that open); a TaskGroup aborts its tasks in the order in which they
were made, and as_completed returns what has ended before in the order of its arguments (CPython iterates over sets, that
is by address).
"""

import asyncio
import heapq
import itertools
import selectors


class Stuck(Exception):
    """Nothing is ready and no timer is left."""


class JumpingSelector(selectors.SelectSelector):
    """Lets virtual time pass instead of waiting."""

    def __init__(self):
        super().__init__()
        self.now = 0

    def select(self, timeout=None):
        if timeout is None:
            raise Stuck
        self.now += timeout
        return []


class OrderedTimer(asyncio.TimerHandle):
    """Breaks the tie between equal deadlines."""

    numbers = itertools.count()

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.number = next(self.numbers)

    def __lt__(self, other):
        return (self._when, self.number) < (other._when, other.number)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__(JumpingSelector())
        # The loop asks `deadline < now + resolution`, so it cannot be 0; all times in the programs are whole seconds.
        self._clock_resolution = 0.5

    def time(self):
        return self._selector.now

    def call_at(self, when, callback, *arguments, context=None):
        timer = OrderedTimer(when, callback, arguments, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class OrderedSet(dict):
    """As much of a set as TaskGroup uses, in the order of insertion."""

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)


class TaskGroup(asyncio.TaskGroup):
    def __init__(self):
        super().__init__()
        self._tasks = OrderedSet()


def as_completed(futures, timeout):
    loop = asyncio.get_running_loop()
    count = len(loop._ready)
    iterator = asyncio.as_completed(futures, timeout=timeout)
    # The callbacks of those that are done already are ready now.
    added = sorted((loop._ready.pop() for _ in range(len(loop._ready) - count)),
                   key=lambda handle: futures.index(handle._args[0]))
    loop._ready.extend(added)
    return iterator
