"""What the routes ask of the shared actors is what these do: the same methods, with the same arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from actors.configuration.actor import ConfigActor
from actors.history.actor import HistoryActor
from actors.shared_services import RayConfigurations, RayHistory
from optionchain.context import HOUSEKEEPING, Context
from tests.callers import on_behalf_of

pytestmark = pytest.mark.anyio

# What is no call of somebody's: made by the process itself, or not of an actor.
OWN = {"on_behalf_of", "call", "status", "close"}
SERVICES = [(RayHistory, HistoryActor), (RayConfigurations, ConfigActor)]


def methods(kind: type) -> dict[str, Callable[..., Any]]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_") and name not in OWN}


ANSWER = "what the actor says"
CALLS = [
    pytest.param(service, name, actor, id=f"{actor.__name__}.{name}")
    for service, actor in SERVICES
    for name in methods(service)
]


class Called:
    """Keeps the calls, and answers each."""

    def __init__(self) -> None:
        self.calls: list[tuple[Context, str, tuple[Any, ...], bool]] = []

    async def call(self, context: Context, method: str, *arguments: Any, is_repeatable: bool = True) -> Any:
        self.calls.append((context, method, arguments, is_repeatable))
        return ANSWER


@pytest.mark.parametrize(("service", "actor"), SERVICES)
def test_every_method_of_an_actor_can_be_called(service: type, actor: type) -> None:
    assert set(methods(service)) == set(methods(actor))


@pytest.mark.parametrize(("service", "name", "actor"), CALLS)
async def test_a_call_is_sent_with_its_arguments_in_their_order(
    service: Callable[..., Any], name: str, actor: type
) -> None:
    called, context = Called(), on_behalf_of("anna")
    taken = inspect.signature(getattr(actor, name)).parameters
    arguments = [object() for _ in list(taken)[1:]]

    answer = await getattr(service(called).on_behalf_of(context), name)(*arguments)

    # A save that was applied, and is sent again, would be refused as a conflict with itself.
    assert called.calls == [(context, name, tuple(arguments), name != "save")]
    assert answer == (None if returns_nothing(actor, name) else ANSWER)


@pytest.mark.parametrize(("service", "name", "actor"), CALLS)
async def test_what_a_caller_leaves_out_is_what_the_actor_takes_for_it(
    service: Callable[..., Any], name: str, actor: type
) -> None:
    called = Called()
    taken = inspect.signature(getattr(actor, name)).parameters
    needed = [object() for each in list(taken.values())[1:] if each.default is each.empty]

    await getattr(service(called), name)(*needed)

    ((context, _, sent, _),) = called.calls
    defaults = [each.default for each in taken.values() if each.default is not each.empty]
    assert sent == (*needed, *defaults)
    assert context is HOUSEKEEPING


def returns_nothing(actor: type, name: str) -> bool:
    return bool(inspect.signature(getattr(actor, name)).return_annotation == "None")
