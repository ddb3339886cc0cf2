"""A path of a sweep, served by the HTTP service."""

from datetime import UTC, datetime

import numpy as np

from optionchain import Heston, SimulationParameters, SingleExpiration
from optionchain.measures import terminal_price
from optionchain.sweeps import InProcess, Silent, Sweep
from tests.clusters import step

BASE = SimulationParameters(
    symbol="SPX",
    steps=5,
    initial_price=100.0,
    volatility=0.2,
    risk_free_rate=0.03,
    method=Heston(dt=1 / 365, drift=0.03, volatility=0.2, kappa=2.0, theta=0.04, xi=0.5, rho=-0.7),
    expirations=SingleExpiration(days=30.0),
    seed=2**63 + 7,
    start_at=datetime(2026, 1, 5, 21, tzinfo=UTC),
    chain_size=3,
)


def test_a_session_shows_the_path_of_a_sweep(cluster, api):
    one = Sweep(base=BASE, measures=[terminal_price], grid={"volatility": [0.1, 0.4]}, paths=20)
    result = one.run(engine=InProcess(), observer=Silent())

    session = result.session(1, 13, url=cluster.state.base_url, api_key=cluster.state.api_key)
    served = [step(api, session["id"]).json() for _ in range(5)]

    paths = result.block(1, 13)
    assert [snapshot["price"] for snapshot in served] == paths.prices[0].tolist()
    chains = paths.chains(4)
    assert [contract["strike"] for contract in served[4]["contracts"]] == chains.strikes.ravel().tolist()
    np.testing.assert_array_equal(
        [contract["call"]["mid"] for contract in served[4]["contracts"]], chains.call_mid.ravel()
    )
