"""What Ray Serve is told of the number of replicas."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.settings import Settings

# Ray Serve's own models warn when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def told(**http: object) -> Any:
    """The configuration of the deployment."""
    from serve_app.app import deployment

    return deployment(Settings(http=http))._bound_deployment._deployment_config


def test_ray_serve_is_told_the_bounds_and_when_to_move_between_them() -> None:
    scaling = told(
        replicas="2:8", target_requests=4, scale_out_seconds=5, scale_in_seconds=60
    ).autoscaling_config

    assert (scaling.min_replicas, scaling.max_replicas, scaling.target_ongoing_requests) == (2, 8, 4.0)
    assert (scaling.upscale_delay_s, scaling.downscale_delay_s) == (5.0, 60.0)
    assert scaling.metrics_interval_s < scaling.look_back_period_s == 5.0


def test_a_fixed_number_does_not_follow_the_load() -> None:
    fixed = told(replicas=3)

    assert (fixed.num_replicas, fixed.autoscaling_config) == (3, None)


def test_the_count_of_requests_has_the_name_that_ray_serve_goes_by() -> None:
    from ray.serve._private.common import RUNNING_REQUESTS_KEY

    from serve_app.app import RUNNING_REQUESTS

    assert RUNNING_REQUESTS == RUNNING_REQUESTS_KEY
