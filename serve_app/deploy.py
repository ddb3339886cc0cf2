"""Deploys the HTTP service on a Ray cluster: ``python -m serve_app.deploy ADDRESS``, told the settings, as JSON.

A process of its own, because Ray Serve reads its switches from the environment when it is imported. It may be started
before the cluster and its servers run: it is told the settings when they do.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import ray
from ray import serve
from ray.exceptions import GetTimeoutError, RayActorError
from ray.serve.config import HTTPOptions

from actors.named import existing
from cluster.first_actors import first_actors
from cluster.settings import Settings
from serve_app.app import deployment

APPLICATION = "optionchain"
# Ray Serve's own, by namespace and name.
CONTROLLER = "serve", "SERVE_CONTROLLER_ACTOR"
POLL_SECONDS = 0.05


def deploy(address: str, settings: Settings) -> None:
    """Start the actors and the HTTP service, and wait until they run.

    Args:
        address: Of the Ray cluster.
        settings: All settings, with the servers' URLs.
    """
    ray.init(address=address, namespace=settings.ray.namespace, log_to_driver=False)
    earlier = existing(settings.ray.namespace)
    with ThreadPoolExecutor(3) as beside:
        # Every actor, Serve's and ours, takes seconds to start, and most of it is waiting.
        starts = [beside.submit(start, settings) for start in (_start_actors, _start_serve, _run_application)]
        for start in starts:
            start.result()
    # Actors keep the settings that they began with, and some may have no sessions under the new placement. What they
    # hold is stored, and what was on its way to them is sent again.
    for actor in earlier:
        ray.kill(actor, no_restart=True)
    if earlier:
        _start_actors(settings)


def _start_serve(settings: Settings) -> None:
    options = HTTPOptions(host=settings.http.ipv4_host, port=settings.http.port)
    _patiently(lambda: serve.start(http_options=options), settings)


def _run_application(settings: Settings) -> None:
    """Deploy as soon as there is whom to tell: replicas need not wait for the proxies."""
    deadline = time.monotonic() + settings.ray.start_timeout_seconds
    while not existing(*CONTROLLER):
        if time.monotonic() > deadline:
            raise TimeoutError("Ray Serve's controller is not there")
        time.sleep(POLL_SECONDS)
    _patiently(lambda: serve.run(deployment(settings), name=APPLICATION, route_prefix="/"), settings)


def _patiently(start: Callable[[], object], settings: Settings) -> None:
    """Start something, and wait; Serve's own patience with its proxies is a minute, and no setting."""
    deadline = time.monotonic() + settings.ray.start_timeout_seconds
    while True:
        try:
            start()
        except (TimeoutError, RayActorError) as error:
            # A proxy or the controller that is slow to start, or that Ray starts again: what runs already stays.
            if time.monotonic() > deadline:
                raise
            print(f"still waiting for Ray Serve: {error}", flush=True)
        else:
            return


def _start_actors(settings: Settings) -> None:
    actors = first_actors(settings)
    patience = settings.ray.start_timeout_seconds
    try:
        ray.get([actor.__ray_ready__.remote() for actor in actors], timeout=patience)
    except GetTimeoutError as error:
        cpus = settings.ray.cpus_of_actor(settings.session.placement)
        raise SystemExit(
            f"Not all of {len(actors)} actors have started within {patience:g} s. One that holds sessions asks "
            f"for {cpus:g} CPUs (OCS_RAY_ACTOR_CPUS): where no node has so many free, add a node, or ask for less."
        ) from error


if __name__ == "__main__":
    deploy(sys.argv[1], Settings(**json.load(sys.stdin)))
