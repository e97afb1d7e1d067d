"""For who runs a server: whether it lives and is ready, its metrics, the page to try it, and the OpenAPI document."""

from scansion.serving.routes import HTML, PLAIN, Call, Reply, Route, reply
from scansion.serving.schemas import TEXT, record
from scansion.serving.server_metrics import MEDIA
from scansion.serving.service import Service
from scansion.viewer.try_page import docs_page, try_page

STATE = record({"status": TEXT})


async def live(service: Service, call: Call) -> Reply:
    """The process answers, whether it takes requests or not."""
    return reply({"status": "live"})


async def ready(service: Service, call: Call) -> Reply:
    """Requests are taken; 503 while models are loaded, and while the server ends."""
    service.check_ready()
    return reply({"status": "ready"})


async def metrics(service: Service, call: Call) -> Reply:
    """What was counted, for Prometheus."""
    return Reply(service.metrics.text().encode(), media=MEDIA)


async def page(service: Service, call: Call) -> Reply:
    """The page to try the models."""
    return Reply(try_page(service.key is not None).encode(), media=HTML)


async def docs(service: Service, call: Call) -> Reply:
    """The page that lists the routes."""
    return Reply(docs_page().encode(), media=HTML)


ROUTES = (
    Route("GET", "/", "The page to try the models.", page, media=(HTML,), works=False, secret=False),
    Route("GET", "/docs", "The routes, to be read.", docs, media=(HTML,), works=False, secret=False),
    Route("GET", "/live", "Whether the process answers.", live, gives=STATE, works=False, secret=False),
    Route("GET", "/ready", "Whether requests are taken.", ready, gives=STATE, secret=False),
    Route("GET", "/health", "The same as /ready.", ready, gives=STATE, secret=False),
    Route("GET", "/metrics", "What was counted, for Prometheus.", metrics, media=(PLAIN,), works=False),
)
