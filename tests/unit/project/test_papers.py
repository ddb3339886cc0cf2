"""What the pages say is true of the tree: links lead somewhere, and what is named exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cluster.commands.app import app
from cluster.settings_table import settings_page

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("optionchain*/README.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("tests/*/README.md"),
    ]
)
FOLDERS = "actors|adapters|cluster|docs|k8s|optionchain|optionchain_client|optionchain_server|proving|serve_app|tests"


def place(page: Path) -> str:
    return str(page.relative_to(ROOT))


def tokens(page: Path) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def anchors(page: Path) -> set[str]:
    """The addresses of the headings, as the forge and the site make them."""
    found = list(tokens(page))
    titles = [found[index + 1].content for index, token in enumerate(found) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def code(page: Path, *languages: str) -> str:
    """All that stands in backticks, or in blocks of these languages (by default of any), a piece a line."""
    pieces = (token for token in tokens(page) if token.type in {"code_inline", "fence"})
    return "\n".join(token.content for token in pieces if not languages or token.info in languages)


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_a_link_leads_somewhere(page: Path) -> None:
    addresses = [token.attrGet("href") or token.attrGet("src") for token in tokens(page)]
    inside = [str(address) for address in addresses if address and not re.match(r"https?:", str(address))]

    for address in inside:
        name, _, anchor = address.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT), address
        assert target.exists(), address
        assert not anchor or anchor in anchors(target), address


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_a_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(rf"(?<![\w/.:-])(?:{FOLDERS})/[\w./*-]*", code(page))

    missing = [name for name in named if not any(ROOT.glob(name.rstrip("./")))]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_a_setting_that_is_named_exists(page: Path) -> None:
    settings = set(re.findall(r"OCS_\w+", settings_page())) | {"OCS_TEST_MONGODB_URI"}

    for name in re.findall(r"OCS_\w+", page.read_text(encoding="utf-8")):
        # `OCS_RATE_*` and `OCS_SWEEP_MAX_...` are groups of them.
        assert name in settings or (name.endswith("_") and any(each.startswith(name) for each in settings)), (
            name
        )


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_a_command_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    group = typer.main.get_group(app)
    commands = group.list_commands(typer.Context(group))
    text = code(page, "", "sh")

    assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", text)) <= targets
    assert set(re.findall(r"(?:^|[ /])optionchain ([a-z]+)\b", text)) <= set(commands)
