"""The pages of a server: one to try its models, one that lists its routes. Both ask only the server they came from."""

from scansion.viewer.page import page

OWN_SERVER = "connect-src 'self'; "
"""What such a page may ask, beside what every page may."""


def try_page(keyed: bool) -> str:
    """A page to send a text to a model and see its answer; ``keyed`` if it has to ask for the server's key."""
    return page("try.html", {"keyed": keyed, "connect": OWN_SERVER, "forms": "'self'"}, "try.js")


def docs_page() -> str:
    """A page that lists the routes, from the server's OpenAPI document."""
    return page("docs.html", {"connect": OWN_SERVER}, "docs.js")
