"""sentence-transformers behind HTTP, driven plainly: each request is encoded in a thread as it comes.

    python sentence_transformers_server.py MODEL PORT

POST /embed {"inputs": [TEXT, …]} answers with a vector a text, as text-embeddings-inference does.
"""

import sys

import uvicorn
from sentence_transformers import SentenceTransformer
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def main(model: str, port: str) -> None:
    """Serve until it is ended."""
    encoder = SentenceTransformer(model, device="cpu")

    async def embed(request: Request) -> JSONResponse:
        given = await request.json()
        vectors = await run_in_threadpool(encoder.encode, given["inputs"], show_progress_bar=False)
        return JSONResponse(vectors.tolist())

    application = Starlette(routes=[Route("/embed", embed, methods=["POST"])])
    uvicorn.run(application, host="127.0.0.1", port=int(port), log_level="critical", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:3])
