"""The page to look at: files that never change under their address, and the one address that always is the newest.

The page is an ordinary client of the other routes. Its files are in `serve_app/page/`, but for plotly.js, which comes
out of the installed `plotly`, and for the colours, which `optionchain.pictures.style` decides.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from fastapi import Request, Response

from optionchain.access.roles import Permission
from optionchain.pictures.style import page_colours
from serve_app.edge.errors import UnknownPath
from serve_app.edge.route_table import Route, handler
from serve_app.services import services_of

FOLDER = Path(__file__).resolve().parents[1] / "page"
PLOTLY, COLOURS, INDEX = "plotly.js", "colours.css", "index.html"
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
VERSION_MARK, STYLE_MARK = b"VERSION", b"STYLE-OF-MAPS"
# By this plotly.js finds that a style of its maps is there; it would write it, which the policy forbids.
STYLE_OF_MAPS = re.compile(rb'getElementById\("([0-9a-f]{64})"\)')
FOREVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
# plotly.js empties the style attribute of each colour in a scale, and writes no other: the hash of no text allows that.
EMPTY = base64.b64encode(hashlib.sha256(b"").digest()).decode()
# plotly.js draws with no eval, and its styles are in page.css. A picture that it saves is a `blob:` or `data:` first.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-hashes' "
    f"'sha256-{EMPTY}'; "
    "img-src 'self' data: blob:; connect-src 'self'{issuer}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}


class PageFile(NamedTuple):
    """A file as it is sent."""

    body: bytes
    zipped: bytes
    media_type: str
    tag: str


@handler("The page")
async def index(request: Request) -> Response:
    return await _answer(request, INDEX, ASK_AGAIN)


@handler("A file of the page")
async def file(request: Request) -> Response:
    """Under the version of the files that are served it never changes."""
    asked = request.path_params
    keeping = FOREVER if asked["version"] == page_version() else ASK_AGAIN
    return await _answer(request, asked["file"], keeping)


async def _answer(request: Request, name: str, keeping: str) -> Response:
    # Read and compressed once: the largest takes a moment, which others shall not wait for.
    found = await asyncio.to_thread(page_file, name)
    issuer = services_of(request).sign_in.page_issuer
    headers = HEADERS | {
        "Cache-Control": keeping,
        "ETag": found.tag,
        "Content-Security-Policy": POLICY.format(issuer=f" {_origin(issuer)}" if issuer else ""),
    }
    if found.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            found.zipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type
        )
    return Response(found.body, headers=headers, media_type=found.media_type)


@cache
def page_version() -> str:
    """A name for all files of the page as they are."""
    digest = hashlib.blake2b(digest_size=8)
    for name, body in sorted(_own_files().items()):
        digest.update(name.encode() + body)
    digest.update(version("plotly").encode())
    return digest.hexdigest()


@cache
def page_file(name: str) -> PageFile:
    """A file by its name.

    Raises:
        UnknownPath: There is none.
    """
    if name == PLOTLY:
        body = _plotly()
    elif name in _own_files():
        body = _own_files()[name]
    else:
        raise UnknownPath
    if name == INDEX:
        body = body.replace(VERSION_MARK, page_version().encode())
        style = STYLE_OF_MAPS.search(_plotly())
        body = body.replace(STYLE_MARK, style[1] if style else b"style-of-maps")
    media_type = MEDIA_TYPES[name.rpartition(".")[2]]
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return PageFile(body, gzip.compress(body, 6, mtime=0), media_type, f'"{tag}"')


def _plotly() -> bytes:
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


@cache
def _own_files() -> dict[str, bytes]:
    own = {
        each.name: each.read_bytes()
        for each in FOLDER.iterdir()
        if each.is_file() and each.name.rpartition(".")[2] in MEDIA_TYPES
    }
    return own | {COLOURS: page_colours().encode()}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


ROUTES = (
    Route("GET", "/", index, Permission.PUBLIC),
    Route("GET", "/page/{version}/{file}", file, Permission.PUBLIC),
)
