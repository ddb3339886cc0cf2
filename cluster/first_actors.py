"""The actors that are there before the first call for them."""

from __future__ import annotations

from typing import Any

from ray.actor import ActorHandle

from actors.sessions.placement import Shards, parse_placement
from cluster.bootstrap import session_actor_finder, shared_actors
from cluster.settings import Settings


def first_actors(settings: Settings) -> list[ActorHandle[Any]]:
    """The actors whose names are known, created where there are none; others begin with the first call for them."""
    actors = shared_actors(settings)
    placement = parse_placement(settings.session.placement)
    if isinstance(placement, Shards):
        actors += map(session_actor_finder(settings), placement.actor_names())
    return actors
