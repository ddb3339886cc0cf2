"""What `optionchain bench tasks` measures, on so little that a test may wait for it."""

from __future__ import annotations

import pytest

from proving.bench import tasks


def test_it_measures_our_queue_and_a_well_known_one(mongod_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rq")
    monkeypatch.setenv("OCS_MONGO_URI", mongod_uri)
    for name, value in {"RUNS": 20, "SCHEDULES": 200, "DUE_SECONDS": 1, "LEAD_SECONDS": 1}.items():
        monkeypatch.setattr(tasks, name, value)

    found = tasks.run()

    assert found.keys() == {
        "noop_runs_per_second",
        "schedules",
        "started_late_p50_milliseconds",
        "started_late_p99_milliseconds",
        "scheduler_megabytes",
        "rq_jobs_per_second",
    }
    assert found["schedules"] == 200
    assert 0.0 <= found["started_late_p50_milliseconds"] <= found["started_late_p99_milliseconds"]
    assert min(found[name] for name in found if name.endswith(("second", "megabytes"))) > 0.0
