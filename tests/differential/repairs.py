"""asyncio with what mishap does better on purpose. README.md lists these deviations, and why."""

import asyncio


class Timeout(asyncio.Timeout):
    """A deadline that has passed does not hide a cancellation requested before the timeout began (gh-134471)."""

    async def __aenter__(self):
        await super().__aenter__()
        if self._task._must_cancel:
            self._cancelling -= 1
        return self


def timeout(delay):
    return Timeout(None if delay is None else asyncio.get_running_loop().time() + delay)


class Barrier(asyncio.Barrier):
    """Numbers are unique in a round also after a cancellation (gh-155233): a party takes the first place that is free."""

    def __init__(self, parties):
        super().__init__(parties)
        self._places = set()

    async def wait(self):
        async with self._cond:
            await self._block()
            place = next(place for place in range(self._parties) if place not in self._places)
            self._places.add(place)
            self._count += 1
            try:
                await (self._release() if self._count == self._parties else self._wait())
                return place
            finally:
                self._places.discard(place)
                self._count -= 1
                self._exit()


def leave(iterator):
    """An iterator of `as_completed` that nobody uses any more has no timer; there it runs out for nothing."""
    if is_applied and iterator._timeout_handle is not None:
        iterator._timeout_handle.cancel()


is_applied = False


def apply():
    """Changes asyncio itself, so that `wait_for` is repaired too."""
    global is_applied
    is_applied = True
    asyncio.Barrier = Barrier
    asyncio.timeout = asyncio.timeouts.timeout = timeout
