"""Named actors on a real Ray: made once, listed by name, and called as often as we say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import ray
from ray.exceptions import RayActorError, RayError

from actors.named import existing, find_or_make, make_anew
from actors.ray_runtime import RayRuntime
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("ray_address")

NAMESPACE = "named-test"
PATIENCE_SECONDS = 60.0


def test_an_actor_is_made_once_and_ray_repeats_no_call_by_itself(tmp_path: Path) -> None:
    class Mortal:
        def __init__(self, folder: Path) -> None:
            self._folder = folder

        def process(self) -> int:
            return os.getpid()

        def die(self) -> None:
            (self._folder / str(os.getpid())).touch()
            os._exit(1)

    names = ("mortal-2", "mortal-1", "other")
    made = {name: find_or_make(Mortal, name, tmp_path, namespace=NAMESPACE) for name in names}
    try:
        again = find_or_make(Mortal, "mortal-1", tmp_path, namespace=NAMESPACE)
        listed = existing(NAMESPACE, "mortal")
        expected = [made["mortal-1"], made["mortal-1"], made["mortal-2"]]
        found = [ray.get(one.process.remote(), timeout=PATIENCE_SECONDS) for one in (again, *listed)]
        with pytest.raises(RayActorError):
            ray.get(made["other"].die.remote(), timeout=PATIENCE_SECONDS)

        assert found == [ray.get(one.process.remote(), timeout=PATIENCE_SECONDS) for one in expected]
        assert len(list(tmp_path.iterdir())) == 1
    finally:
        for actor in made.values():
            ray.kill(actor)


def resident() -> type:
    """The class of an actor that says where it is, and can end itself as session actors do."""

    # Not of this module, which Ray's workers do not find.
    class Resident:
        def process(self) -> int:
            return os.getpid()

        def whereabouts(self) -> tuple[str, str]:
            return RayRuntime().node_id(), RayRuntime().address()

        def end(self) -> None:
            RayRuntime().end_actor()

    return Resident


def test_an_actor_that_is_made_anew_has_its_name_in_another_process() -> None:
    make_anew("nobody", NAMESPACE)  # there is nothing to do
    actor = find_or_make(resident(), "anew", namespace=NAMESPACE)
    try:
        before = ray.get(actor.process.remote(), timeout=PATIENCE_SECONDS)

        make_anew("anew", NAMESPACE)

        eventually(
            lambda: process_of("anew") not in (None, before),
            "it runs again",
            patience_seconds=PATIENCE_SECONDS,
        )
    finally:
        ray.kill(actor)


def test_an_actor_knows_where_it_is_and_one_that_ends_itself_is_not_started_again() -> None:
    actor = find_or_make(resident(), "ending", namespace=NAMESPACE)
    (node,) = ray.nodes()
    where = ray.get(actor.whereabouts.remote(), timeout=PATIENCE_SECONDS)

    actor.end.remote()

    assert where == (node["NodeID"], node["NodeManagerAddress"])
    eventually(lambda: not existing(NAMESPACE, "ending"), "it has ended", patience_seconds=PATIENCE_SECONDS)


def process_of(name: str) -> int | None:
    try:
        return int(ray.get(ray.get_actor(name, namespace=NAMESPACE).process.remote(), timeout=5.0))
    except RayError:
        return None
