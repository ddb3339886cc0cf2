"""Sweeps recorded by the S3 protocol, on a real server of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from adapters.settings import MongoSettings
from tests.buckets import s3_bucket
from tests.integration.sweeps.sweep_services import sweeping, wait
from tests.unit.sweeps.interrupted_sweeps import interrupted, resumed
from tests.unit.sweeps.sweep_documents import SMALL
from tests.unit.sweeps.sweep_examples import run, sweep


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_bucket("sweeps") as url:
        yield url


def test_an_interrupted_sweep_goes_on_where_it_was(bucket: str) -> None:
    one = sweep(block_paths=40, keep="paths")
    interrupted(one, bucket, tasks=7)

    result, observer = resumed(one, bucket)

    assert (observer.resumed, observer.progress.paths) == (7, 6 * 200 - 7 * 40)
    np.testing.assert_allclose(result.numbers, run(sweep(block_paths=40)).numbers, rtol=1e-12)
    kept = result.kept_paths().select("scenario", "path").unique().collect()
    assert kept.height == 6 * 200


def test_a_part_that_was_damaged_is_computed_again(bucket: str) -> None:
    import fsspec

    one = sweep(seed=8)
    before, _ = resumed(one, bucket)
    files = fsspec.filesystem("s3")
    (part,) = files.glob(f"{before.folder}/parts/*")
    files.pipe_file(part, b"damaged")

    after, observer = resumed(one, bucket)

    assert observer.progress.paths == 6 * 200
    assert np.array_equal(after.numbers, before.numbers)


def test_the_sweeps_of_callers_are_known_after_a_restart_and_forgotten_in_time(
    bucket: str, mongo_there: MongoSettings
) -> None:
    import fsspec

    output, ids = f"{bucket}/callers", []
    with sweeping(mongo_there, output) as world:
        for seed in (1, 2):
            service = world.open(max_kept=1)
            ids.append(service.submit("first", SMALL | {"seed": seed})["id"])
            assert wait(service, "first", ids[-1])["state"] == "completed"
            service.close()

        service = world.open(max_kept=1)

        assert [shown["id"] for shown in service.listed("first", offset=0, limit=9)[1]] == ids[1:]
        assert service.results("first", ids[1], "csv").startswith(b"scenario,")
        folders = fsspec.filesystem("s3").ls(output, refresh=True)
        assert [folder.rpartition("/")[2] for folder in folders] == ids[1:]
