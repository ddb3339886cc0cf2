"""A browser for each file of tests of the page, and visitors whose every complaint fails a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browsing import Visit, chromium
from tests.clusters import Cluster


# No longer than that: while it runs, Playwright's loop is this thread's, and no other test could have one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Any, cluster: Cluster) -> Iterator[Callable[..., Visit]]:
    """Opens the page in a browser of its own; whatever a visitor complains of fails the test."""
    visits: list[Visit] = []

    def visit(**options: Any) -> Visit:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        visits.append(Visit(context, cluster.state.base_url))
        return visits[-1]

    yield visit
    complaints = [complaint for each in visits for complaint in each.complaints]
    for each in visits:
        each.context.close()
    assert complaints == []


@pytest.fixture
def visit(visitor: Callable[..., Visit], cluster: Cluster) -> Visit:
    """Somebody who is signed in with the administrator's key."""
    visit = visitor()
    visit.open()
    visit.sign_in(cluster.state.api_key or "")
    visit.page.get_by_role("heading", name="Make a market").wait_for()
    return visit
