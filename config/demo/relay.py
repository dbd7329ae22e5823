"""A line between two cities that can be cut: a TCP relay on loopback.

While a line is cut, what runs over it is dropped and nobody is let in, as when a cable is gone: the nodes at both ends work on
alone, and meet again when the line is back.
"""
import asyncio
import threading


class Line:
    """Relays to targets. One event loop in a thread of its own serves all lines."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._writers = set()
        self._cut = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._thread.start()

    def add(self, target_port):
        """A new port on loopback that leads to `target_port`; returns it."""
        future = asyncio.run_coroutine_threadsafe(self._listen(target_port), self._loop)
        return future.result(10)

    def cut(self):
        self._call(self._set_cut, True)

    def mend(self):
        self._call(self._set_cut, False)

    def close(self):
        self._call(self._set_cut, True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _call(self, function, *arguments):
        done = threading.Event()

        def run():
            function(*arguments)
            done.set()
        self._loop.call_soon_threadsafe(run)
        done.wait(5)

    def _set_cut(self, cut):
        self._cut = cut
        if cut:
            for writer in list(self._writers):
                self.dropped += 1
                writer.transport.abort()

    async def _listen(self, target_port):
        async def serve(reader, writer):
            await self._serve(reader, writer, target_port)
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer, target_port):
        if self._cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}

    @staticmethod
    async def _pump(reader, writer):
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
