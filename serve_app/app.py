"""The Ray Serve application: the deployment that runs the HTTP service."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig
from starlette.types import ASGIApp

from cluster.bootstrap import open_services, open_watch
from cluster.first_actors import first_actors
from cluster.history_stores import history_stores
from cluster.http_settings import HttpSettings
from cluster.nodes.spares import keep_spares
from cluster.requests import open_sign_in_codes
from cluster.settings import Settings
from cluster.tasks.service import open_tasks
from optionchain import numerics
from serve_app.asgi import build_asgi
from serve_app.edge import outermost
from serve_app.edge.frequent import FrequentRoutes
from serve_app.handling.streaming import Producers
from serve_app.routes.table import ROUTES
from serve_app.services import Services, SignIn

# New objects between two looks for garbage, as in Ray Serve's own proxy: at Python's 700, some requests at a time are
# reason enough to look, in vain, which was an eighth of a replica's time.
GARBAGE_THRESHOLD = 10_000
LOOKS_IN_PERIOD = 5
# A replica that serves all but the sessions of an actor that does not start is better than none.
FIRST_ACTORS_SECONDS = 60.0
# As Ray Serve calls its own count.
RUNNING_REQUESTS = "running_requests"


@serve.ingress()
class Ingress:
    """One replica of the HTTP service.

    Args:
        settings: All settings; the environment of the replica's node is not read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # They start beside the rest of this replica.
        self._starting: list[Any] = [actor.__ray_ready__.remote() for actor in first_actors(settings)]
        numerics.compile_when_worthwhile()
        gc.set_threshold(GARBAGE_THRESHOLD)

    async def check_health(self) -> None:
        """Serve nobody before the actors are there: the first callers would wait, in vain, for their start.

        Ray Serve asks once before it sends requests here, and then again and again.
        """
        starting, self._starting = self._starting, []
        if starting:
            await asyncio.wait([each.as_future() for each in starting], timeout=FIRST_ACTORS_SECONDS)

    async def record_autoscaling_stats(self) -> dict[str, int]:
        """What Ray Serve is to go by where replicas follow the load: its own count lacks the frequent routes."""
        return {RUNNING_REQUESTS: outermost.under_way.number}

    def __serve_build_asgi_app__(self) -> ASGIApp:
        opened = open_services(self._settings)
        http = self._settings.http
        edge = build_asgi(
            self._settings,
            Services(
                **opened,
                sign_in=SignIn(
                    open_sign_in_codes(self._settings),
                    needs_key=self._settings.auth.enabled,
                    issuer=self._settings.auth.oidc_issuer,
                    client_id=self._settings.auth.oidc_client_id,
                ),
                stores=history_stores(self._settings, None),
                tasks=open_tasks(self._settings, opened["calendars"]),
                producers=Producers(http, opened["observer"]),
                limits=self._settings.limits,
                is_strict=http.strict,
                links=http.named_links,
            ),
        )
        most = http.max_ongoing_requests + http.max_queued_requests
        outermost.take(FrequentRoutes(edge, ROUTES, max_requests=most))
        open_watch(self._settings)(opened["observer"]).begin()
        if not self._settings.ray.is_alone:
            keep_spares()
        return edge


def _scale(http: HttpSettings) -> dict[str, Any]:
    """How many replicas Ray Serve is to have, and when another number of them."""
    scale = http.scale
    if scale.is_fixed:
        return {"num_replicas": scale.fewest}
    return {
        "autoscaling_config": AutoscalingConfig(
            min_replicas=scale.fewest,
            max_replicas=scale.most,
            target_ongoing_requests=http.target_requests,
            # Over which requests are averaged; a replica tells of its own a few times in it.
            look_back_period_s=http.scale_out_seconds,
            metrics_interval_s=http.scale_out_seconds / LOOKS_IN_PERIOD,
            upscale_delay_s=http.scale_out_seconds,
            downscale_delay_s=http.scale_in_seconds,
        )
    }


def deployment(settings: Settings) -> Application:
    """The application to run."""
    http = settings.http
    options = serve.deployment(
        name="http",
        **_scale(http),
        max_ongoing_requests=http.max_ongoing_requests,
        max_queued_requests=http.max_queued_requests,
        backpressure_config={"status_code": 503, "retry_after_s": 1},
        # A new replica serves before an old one leaves.
        max_surge_percent=100,
        ray_actor_options={"num_cpus": settings.ray.cpus_of_replica},
        graceful_shutdown_timeout_s=5,
        health_check_period_s=5,
        # The log of ours tells of requests; see OCS_TELEMETRY_ACCESS_LOG.
        logging_config={"encoding": "JSON", "enable_access_log": False},
    )
    return options(Ingress).bind(settings)
