"""A provider in Twilio's place for the bench: notes when each request came, and takes it.

`python -m tests.bench.provider PORT FILE`. Each line of the file is a number and the moment, on the
machine's monotonic clock, at which the first byte of its request was there.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qs

_ANSWERS_AFTER_S = 0.1
"""About what a carrier's own answer takes."""
_SID = "SM" + "0" * 32
_BODY = f'{{"sid": "{_SID}", "status": "queued"}}'.encode()
_ANSWER = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


async def serve(port: int, file: TextIO) -> None:
    """Until the process ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                first = await reader.readexactly(1)
                came = time.perf_counter()
                head = first + await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                file.write(f"{parse_qs(body.decode())['To'][0]} {came!r}\n")
                file.flush()
                await asyncio.sleep(_ANSWERS_AFTER_S)
                writer.write(_ANSWER)
        except asyncio.IncompleteReadError:
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", port, backlog=256) as server:
        await server.serve_forever()


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return int(next(line.split(b":")[1] for line in lines if line.startswith(b"content-length:")))


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w") as opened:
        asyncio.run(serve(int(sys.argv[1]), opened))
