"""What every model's path promises."""

import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from optionchain.draws.philox import PhiloxDraws
from optionchain.models import MARKET_MODELS, GeometricBrownian, Heston, model_from_wire, model_to_wire
from optionchain.processes.recursion import FEW_PATHS
from tests.unit.models.model_laws import SEED, SPECIMENS, SPOT, paths

STEPS = 40
PINNED = json.loads((Path(__file__).parent / "pinned_paths.json").read_text())
each_model = pytest.mark.parametrize("name", SPECIMENS)


def same_path(one, other):
    return np.array_equal(one.prices, other.prices) and np.array_equal(one.volatilities, other.volatilities)


def test_every_model_is_examined_here():
    # Recorded days are no paths of ours.
    assert set(SPECIMENS) == set(MARKET_MODELS) - {"Recorded"} == set(PINNED)


@each_model
def test_a_path_is_what_it_always_was(name):
    path = SPECIMENS[name].sample(SPOT, 253, PhiloxDraws(2**63 + 11, first_path=17))

    pinned = PINNED[name]
    assert path.prices[0, pinned["steps"]].tolist() == pinned["prices"]
    assert path.volatilities[0, pinned["steps"]].tolist() == pinned["volatilities"]


@each_model
@pytest.mark.parametrize("block", [1, FEW_PATHS - 1, FEW_PATHS])
def test_a_path_is_the_same_to_the_bit_in_any_block(name, block):
    model = SPECIMENS[name]

    whole = model.sample(SPOT, STEPS, paths(3 * FEW_PATHS))
    part = model.sample(SPOT, STEPS, PhiloxDraws(SEED, first_path=5, paths=block))

    assert np.array_equal(part.prices, whole.prices[5 : 5 + block])
    assert np.array_equal(part.volatilities, whole.volatilities[5 : 5 + block])


@each_model
@pytest.mark.parametrize("count", [1, 2 * FEW_PATHS])
def test_a_shorter_path_is_a_prefix_of_a_longer_one(name, count):
    model = SPECIMENS[name]

    longer = model.sample(SPOT, STEPS, paths(count))

    for steps in (1, 2, STEPS - 1):
        shorter = model.sample(SPOT, steps, paths(count))
        assert np.array_equal(shorter.prices, longer.prices[:, :steps])
        assert np.array_equal(shorter.volatilities, longer.volatilities[:, :steps])


@each_model
def test_a_path_starts_at_the_spot_and_has_its_shape(name):
    path = SPECIMENS[name].sample(SPOT, STEPS, paths(3))

    assert path.prices.shape == path.volatilities.shape == (3, STEPS)
    assert path.prices.dtype == path.volatilities.dtype == np.float64
    assert (path.prices[:, 0] == SPOT).all()
    assert path.prices.flags.c_contiguous
    assert path.volatilities.flags.c_contiguous


@each_model
def test_a_model_survives_pickling_and_does_not_remember(name):
    model = SPECIMENS[name]

    first = model.sample(SPOT, STEPS, paths(2))

    assert pickle.loads(pickle.dumps(model)) == model
    assert same_path(model.sample(SPOT, STEPS, paths(2)), first)


@each_model
def test_each_factor_has_its_own_stream(name):
    asked = []
    draws = Recorded(paths(2), asked)

    SPECIMENS[name].sample(SPOT, STEPS, draws)

    assert len(set(asked)) == len(asked)


@dataclass(frozen=True)
class Recorded:
    """Draws that note which factors were asked for."""

    recorded: PhiloxDraws
    asked: list

    @property
    def paths(self):
        return self.recorded.paths

    def normals(self, factor, steps):
        self.asked.append(factor)
        return self.recorded.normals(factor, steps)

    def uniforms(self, factor, steps):
        self.asked.append(factor)
        return self.recorded.uniforms(factor, steps)


@dataclass(frozen=True)
class Antithetic:
    """The mirror image of other draws, as a sweep may use them."""

    mirrored: PhiloxDraws

    @property
    def paths(self):
        return self.mirrored.paths

    def normals(self, factor, steps):
        return -self.mirrored.normals(factor, steps)

    def uniforms(self, factor, steps):
        return 1 - 2.0**-53 - self.mirrored.uniforms(factor, steps)


@each_model
def test_any_source_of_draws_will_do(name):
    path = SPECIMENS[name].sample(SPOT, STEPS, Antithetic(paths(4)))

    assert np.isfinite(path.prices).all()


def test_mirrored_draws_mirror_a_geometric_brownian_path():
    model = GeometricBrownian(dt=0.01, drift=0.045, volatility=0.3)  # its log price has no drift

    product = (
        model.sample(SPOT, STEPS, paths(2)).prices * model.sample(SPOT, STEPS, Antithetic(paths(2))).prices
    )

    np.testing.assert_allclose(product, SPOT**2, rtol=1e-12)


def test_a_price_is_never_quoted_below_a_cent_and_can_come_back():
    path = replace(SPECIMENS["LogReturns"], volatility=1.0).sample(0.02, 200, paths(5))

    at_floor = path.prices == 0.01
    assert path.prices.min() == 0.01
    assert (at_floor[:, :-1] & ~at_floor[:, 1:]).any()


def test_a_start_below_a_cent_can_fall_to_a_hundredth_of_it():
    path = replace(SPECIMENS["LogReturns"], volatility=1.0).sample(2e-5, 2000, paths(20))

    assert (path.prices[:, 0] == 2e-5).all()
    assert path.prices.min() == 0.01 * 2e-5


def test_quoted_volatilities_are_clamped():
    low = Heston(dt=0.1, drift=0.0, volatility=0.0, kappa=0.0, theta=0.0, xi=0.0, rho=0.0)
    high = replace(low, volatility=5.0, xi=30.0)

    assert (low.sample(SPOT, 5, paths(2)).volatilities == 1e-4).all()
    assert high.sample(SPOT, 5, paths(50)).volatilities.max() == 5.0


@each_model
def test_json_keeps_a_model(name):
    model = SPECIMENS[name]

    assert model_from_wire(json.loads(json.dumps(model_to_wire(model)))) == model
