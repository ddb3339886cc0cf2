"""What `bench security` makes of its rounds: a ratio of pairs, which a round that was slow for both does not move."""

from __future__ import annotations

import pytest

from proving.bench import security
from proving.bench.load_generator import Measured
from proving.bench.turns import Turns


def measured(requests: int, failed: int = 0) -> Measured:
    return Measured(
        requests=requests, requests_per_second=1.0, p50_seconds=0.01, p99_seconds=0.02, failed=failed
    )


def test_the_ratio_is_the_median_of_pairs() -> None:
    key = [measured(1000), measured(100), measured(1000)]  # the machine was busy in the second round
    everything = [measured(970), measured(97), measured(500, failed=2)]

    figures = security._figures({"key": Turns(key, 2.1), "all": Turns(everything, 1.567)})

    assert figures["all_over_key"] == pytest.approx(0.97)
    assert figures["step_key_processor_milliseconds"] == pytest.approx(1.0)
    assert figures["step_all_processor_milliseconds"] == pytest.approx(1.0)
    assert figures["failed"] == 2
