"""The benchmark of sweeps compares the same work."""

import numpy as np

from optionchain.sweeps.blocks import block_of, run_blocks
from proving.bench.sweep import (
    CHAIN_SIZE,
    EXPIRY_DAYS,
    MONTH,
    _chain_by_hand,
    by_hand,
    definition,
    monthly_chains,
)


def test_the_chains_that_are_written_by_hand_are_ours():
    block = block_of(definition(np.array([0.3])), 0, 0, 20)

    for step in (0, MONTH, 11 * MONTH):
        ours = block.chains(step)
        spots = block.prices[:, step, None]
        strikes = np.floor(spots + 0.5) + np.arange(-CHAIN_SIZE, CHAIN_SIZE + 1)
        hand = _chain_by_hand(spots, strikes, (EXPIRY_DAYS - step) / 365.0, 0.3)
        fields = ("call_mid", "put_mid", "call_delta", "put_delta", "gamma", "vega")
        for field, values in zip(fields, hand, strict=True):
            np.testing.assert_allclose(
                getattr(ours, field)[:, 0], values, rtol=1e-9, atol=1e-10, err_msg=field
            )


def test_the_statistics_that_are_written_by_hand_are_ours():
    one = definition(np.array([0.1, 0.5]))
    by_sweep = np.array([row.result for row in run_blocks(one, 0, 2).rows])

    shown = np.array(by_hand(np.array([0.1, 0.5]))).reshape(2, -1)

    # Other random numbers, so the means agree within four standard errors; columns 0 and 2 are mean and error.
    for start in (0, shown.shape[1] // 2):
        gaps = np.abs(by_sweep[:, start] - shown[:, start])
        assert (gaps < 4.0 * np.hypot(by_sweep[:, start + 2], shown[:, start + 2])).all()


def test_all_chains_of_the_year_are_priced():
    block = block_of(definition(np.array([0.2])), 0, 0, 10)

    monthly_chains(block)

    assert block.contracts_priced == 2 * 10 * 12 * 21
