"""Named actors on a real Ray: made once, listed by name, and called as often as we say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import ray
from ray.exceptions import RayActorError

from actors.named import existing, find_or_make

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
