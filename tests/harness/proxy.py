"""A TCP proxy on loopback that cuts, refuses, stalls, slices and delays what goes through it."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

_WHOLE = 65_536
_ANSWER_S = 10


class Lane:
    """One direction of all connections; changed from any thread, from the next piece on."""

    def __init__(self) -> None:
        self.piece_bytes = _WHOLE
        """What is handed on at once: a few bytes slice every packet."""
        self.delay_s = 0.0
        """Waited before each piece, so that pieces and delay together make a slow line."""
        self.is_stalled = False
        """Connections stay open and nothing comes through, as behind a dead switch."""
        self.passed_bytes = 0

    @contextmanager
    def slowed(self, piece_bytes: int, delay_s: float) -> Iterator[None]:
        """Hand on small pieces with a wait before each, for a while."""
        self.piece_bytes, self.delay_s = piece_bytes, delay_s
        try:
            yield
        finally:
            self.piece_bytes, self.delay_s = _WHOLE, 0.0


class Proxy:
    """Started on entry; `to_target` and `to_caller` are what can be done to either direction."""

    def __init__(self, target_port: int) -> None:
        self.to_target = Lane()
        self.to_caller = Lane()
        self.port = 0
        self._target_port = target_port
        self._refuses = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def cut(self) -> None:
        """Reset every connection; what it still held is lost."""
        self._ask(self._abort_all())

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Cut, and cut each new caller at once, for a while."""
        self._refuses = True
        self.cut()
        try:
            yield
        finally:
            self._refuses = False

    @contextmanager
    def stalled(self, lane: Lane) -> Iterator[None]:
        """Hold a lane's bytes back for a while; what they wait in may be cut meanwhile."""
        lane.is_stalled = True
        try:
            yield
        finally:
            lane.is_stalled = False
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _abort_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        # Pumps that wait in a stalled lane see that their connection is gone.
        self._changed.set()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, caller: asyncio.StreamWriter) -> None:
        if self._refuses:
            caller.transport.abort()
            return
        try:
            answers, target = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            caller.transport.abort()
            return
        pair = {caller, target}
        self._writers |= pair
        pumps = [
            asyncio.ensure_future(self._pump(self.to_target, reader, target)),
            asyncio.ensure_future(self._pump(self.to_caller, answers, caller)),
        ]
        # Whoever hangs up, the other side is told at once.
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for writer in pair:
            writer.close()
        self._writers -= pair

    async def _pump(
        self, lane: Lane, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        try:
            while piece := await source.read(lane.piece_bytes):
                while lane.is_stalled and sink in self._writers:
                    self._changed.clear()
                    await self._changed.wait()
                if lane.delay_s:
                    await asyncio.sleep(lane.delay_s)
                if sink not in self._writers:
                    return
                sink.write(piece)
                await sink.drain()
                lane.passed_bytes += len(piece)
        except OSError:
            return

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(_ANSWER_S)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._ask(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._refuses = True
        self.cut()
        self._ask(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_S)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
