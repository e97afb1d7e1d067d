"""The application of ``scansion serve`` on granian in place of uvicorn, without what the server does at the socket.

    python granian_server.py FOLDER PORT
"""

import asyncio
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from scansion.server_limits import Limits
from scansion.serving.application import application
from scansion.serving.service import Service


async def main(folder: str, port: str) -> None:
    """Serve until it is ended."""
    service = Service({"m": Path(folder)}, Limits())
    await service.start()
    await Server(application(service), address="127.0.0.1", port=int(port), interface=Interfaces.ASGINL).serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
