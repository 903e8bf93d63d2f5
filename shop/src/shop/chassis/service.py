"""The life of a process: its parts start one after another, it is ready, it is told to stop, it drains, it ends.

    service = Service("product", life=settings.life)
    database = service.add("database", Pool(settings.database))
    service.run_beside("invalidation", listening.run)
    service.add("http", HttpServer(app, settings.http))
    exit_code = await service.run()

Parts are entered in the order in which they were added, and left in the reverse order: what is added last stops first. On
SIGTERM or SIGINT the service says that it is not ready, and then each part ends what is under way, within a bound in all. A
part, or a task beside, that ends by itself ends the process with its reason and exit code 1, for its supervisor to start
anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

import msgspec

from shop.chassis.logs import logger
from shop.chassis.metrics import Metrics
from shop.chassis.parts import Life
from shop.chassis.telemetry import own_traces

__all__ = ["Checked", "Readiness", "Service", "State", "Task", "Working"]

State: TypeAlias = Literal["starting", "ready", "draining"]
Part = TypeVar("Part", bound=AbstractAsyncContextManager[Any])

_CHECK_WITHIN = 2.0
_LEAVE_WITHIN = 1.0
_HELD = timedelta(seconds=0.5)
_OK = "ok"


@runtime_checkable
class Checked(Protocol):
    """A part that can say whether it works."""

    async def check(self) -> str | None:
        """None while it works, else what is the matter, and how to mend it."""
        ...


@runtime_checkable
class Working(Protocol):
    """A part that works by tasks, none of which should end before the part is left."""

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        """Its tasks, once it is entered."""
        ...


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests should come here. `parts` says of each dependency `ok`, or what is the matter."""

    state: State
    ready: bool
    parts: Mapping[str, str]


class Service:
    """A process of the shop: its parts, its state and its metrics. Belongs to one event loop."""

    def __init__(self, name: str, *, life: Life | None = None) -> None:
        self.name = name
        self.state: State = "starting"
        self.metrics = Metrics(name)
        self._life = life or Life()
        self._log = logger(f"shop.{name}")
        self._parts: list[tuple[str, AbstractAsyncContextManager[Any]]] = []
        self._needed: dict[str, bool] = {}
        self._stop = asyncio.Event()
        self._told: Readiness | None = None
        self._told_at = 0.0

    def add(self, name: str, part: Part, *, needed: bool = True) -> Part:
        """Add a part, to be entered after those that are there; the part. Where it has a `check`, readiness asks it.

        A part that is not `needed` is named by readiness, and does not make the service unready.
        """
        self._parts.append((name, part))
        self._needed[name] = needed
        return part

    def run_beside(self, name: str, run: Callable[[], Awaitable[Any]]) -> None:
        """Run something for as long as the service runs; it is cancelled when its turn to stop has come."""
        self.add(name, Task(name, run))

    def stop(self) -> None:
        """Begin to stop; as SIGTERM does."""
        self._stop.set()

    async def readiness(self) -> Readiness:
        """How it is now; asked of the parts at most twice a second."""
        now = asyncio.get_running_loop().time()
        if self._told is None or self._told.state != self.state or now - self._told_at > _HELD.total_seconds():
            checked = [(name, part) for name, part in self._parts if isinstance(part, Checked)]
            said = await asyncio.gather(*(_asked(part) for _, part in checked))
            parts = {name: trouble or _OK for (name, _), trouble in zip(checked, said, strict=True)}
            works = all(word == _OK or not self._needed[name] for name, word in parts.items())
            self._told, self._told_at = Readiness(self.state, self.state == "ready" and works, parts), now
        return self._told

    async def run(self) -> int:
        """Run until told to stop; the exit code. A part that cannot be entered is left out of, with its reason, at once."""
        with self._signals(), own_traces():
            failed: BaseException | None = None
            stack = AsyncExitStack()
            try:
                for name, part in self._parts:
                    if not await self._entered(stack, name, part):
                        break
                else:
                    self.state = "ready"
                    self._log.info("ready")
                    failed = await self._until_stopped()
            except Exception as error:
                failed = error
            self.state = "draining"
            return await self._drained(stack, failed)

    async def _entered(self, stack: AsyncExitStack, name: str, part: AbstractAsyncContextManager[Any]) -> bool:
        """Enter a part, unless it is told to stop meanwhile."""
        entering = asyncio.ensure_future(stack.enter_async_context(part))
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((entering, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not entering.done():
            entering.cancel()
            await asyncio.wait((entering,))
            return False
        if entering.exception() is not None:
            self._log.error("cannot start", part=name)
        await entering
        return True

    async def _until_stopped(self) -> BaseException | None:
        tasks = {task: name for name, part in self._parts if isinstance(part, Working) for task in part.tasks()}
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            done, _ = await asyncio.wait((stopping, *tasks), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        ended = [task for task in done if task in tasks]
        if not ended:
            return None
        error = None if ended[0].cancelled() else ended[0].exception()
        self._log.error("ended by itself", part=tasks[ended[0]])
        return error or RuntimeError(f"{tasks[ended[0]]} ended by itself")

    async def _drained(self, stack: AsyncExitStack, failed: BaseException | None) -> int:
        self._log.info("draining")
        if failed is None and self._life.unready_for:
            await asyncio.sleep(self._life.unready_for.total_seconds())
        code = 0
        leaving = asyncio.ensure_future(stack.aclose())
        await asyncio.wait((leaving,), timeout=self._life.drain_within.total_seconds())
        if not leaving.done():
            self._log.error("not drained in time", seconds=self._life.drain_within.total_seconds())
            code = 1
        for _ in self._parts:  # whatever part does not end, those that are left have their turn
            if not leaving.done():
                leaving.cancel()
                await asyncio.wait((leaving,), timeout=_LEAVE_WITHIN)
        if leaving.done() and not leaving.cancelled() and (error := leaving.exception()) is not None:
            self._log.error("not drained", exc_info=error)
            code = 1
        if failed is not None:
            self._log.error("failed", reason=str(failed) or type(failed).__name__, exc_info=failed)
            code = 1
        self._log.info("ended", code=code)
        return code

    @contextlib.contextmanager
    def _signals(self) -> Any:
        loop = asyncio.get_running_loop()
        taken = []
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self.stop)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)


class Task:
    """A coroutine that runs for as long as the part is entered."""

    def __init__(self, name: str, run: Callable[[], Awaitable[Any]]) -> None:
        self._name = name
        self._run = run
        self._task: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Task:
        self._task = asyncio.create_task(self._go(), name=self._name)
        return self

    async def __aexit__(self, *_: object) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    def tasks(self) -> Iterable[asyncio.Task[Any]]:
        return () if self._task is None else (self._task,)

    async def _go(self) -> None:
        await self._run()


async def _asked(part: Checked) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_WITHIN):
            return await part.check()
    except TimeoutError:
        return f"no answer within {_CHECK_WITHIN:g} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
