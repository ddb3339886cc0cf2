"""What `wrk` says, as numbers."""

from __future__ import annotations

import pytest

from proving.bench.load_generator import parse_wrk

REPORT = """Running 8s test @ http://127.0.0.1:7070
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    22.31ms    4.12ms  98.12ms   88.31%
    Req/Sec     1.43k   112.06     1.70k    70.62%
  Latency Distribution
     50%  880.00us
     75%   23.10ms
     90%   26.12ms
     99%    1.20s
  22801 requests in 8.01s, 4.61MB read
  Non-2xx or 3xx responses: 7
Requests/sec:   2847.20
Transfer/sec:    589.12KB
"""


def test_a_report_is_read_in_its_own_units() -> None:
    measured = parse_wrk(REPORT)

    assert (measured.requests, measured.requests_per_second) == (22801, 2847.20)
    assert measured.p50_seconds == pytest.approx(0.00088)
    assert (measured.p99_seconds, measured.failed) == (1.2, 7)


def test_a_report_without_failures_has_none() -> None:
    assert parse_wrk(REPORT.replace("  Non-2xx or 3xx responses: 7\n", "")).failed == 0


def test_anything_else_is_refused() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:7070 Connection refused")
