"""The configuration of new sessions: what it may say, what it refuses, and how a replica keeps up with it."""

from __future__ import annotations

import orjson
import pytest

from actors.configuration.live import LiveConfiguration
from optionchain.configuration.parameters import configured_parameter
from optionchain.configuration.simulator import Limits, SimulatorConfiguration, built_in_values
from optionchain.errors import Defect, InvalidInput, NotFound, Unavailable
from optionchain.ports import Cached
from serve_app.bodies.declared import DEFAULTS
from tests.recording import Recording

pytestmark = pytest.mark.anyio


def test_without_a_configuration_the_defaults_are_those_of_the_routes():
    assert SimulatorConfiguration().defaults.items() <= DEFAULTS.items()


def test_how_the_spread_widens_can_be_configured():
    widens = {
        "spread_proportional": 0.01,
        "spread_moneyness_widening": 0.5,
        "spread_tenor_widening": 0.2,
        "spread_tick": 0.05,
    }

    configuration = SimulatorConfiguration.from_values({"defaults": widens})

    assert widens.items() <= configuration.defaults.items()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"default": {}}, "values.default"),
        ({"defaults": []}, "values.defaults"),
        ({"defaults": {"colour": 1}}, "values.defaults.colour"),
        ({"defaults": {"chain_size": -1}}, "values.defaults.chain_size"),
        ({"defaults": {"spread": "wide"}}, "values.defaults.spread"),
        ({"limits": {"max_steps": 10**9}}, "values.limits.max_steps"),
        ({"limits": {"max_contracts": 0}}, "values.limits.max_contracts"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_path(values, field):
    with pytest.raises(InvalidInput) as refusal:
        SimulatorConfiguration.from_values(values)

    assert refusal.value.field == field


class Stored:
    """A configuration that answers or not, and counts how often it was asked."""

    def __init__(self):
        self.now, self.asked, self.error = 100.0, 0, None
        self.told = Recording()
        self.values = {"defaults": {"chain_size": 5}}
        self.live = LiveConfiguration(
            self.ask, max_age_seconds=0.5, observer=self.told, clock=lambda: self.now
        )

    async def ask(self):
        self.asked += 1
        if self.error:
            raise self.error
        return Cached(orjson.dumps({"values": self.values, "version": self.asked}))


@pytest.fixture
async def stored():
    return Stored()


async def test_it_is_asked_again_when_its_answer_is_too_old(stored):
    assert [(await stored.live.current()).version for _ in range(3)] == [1, 1, 1]

    stored.now, stored.values = 100.5, {"defaults": {"chain_size": 6}}

    assert (await stored.live.current()).defaults["chain_size"] == 6


async def test_the_last_known_is_used_while_nobody_answers(stored):
    known = await stored.live.current()
    stored.now, stored.error = 110.0, Unavailable("the configuration")

    assert await stored.live.current() == known


async def test_nothing_stored_means_the_defaults_of_the_code_and_no_answer_at_all_is_an_error(stored):
    stored.error = Unavailable("the configuration")
    with pytest.raises(Unavailable):
        await stored.live.current()

    stored.error = NotFound("configuration", "simulator")
    assert await stored.live.current() == SimulatorConfiguration()


async def test_what_another_release_wrote_does_not_keep_sessions_from_being_created(stored):
    known = await stored.live.current()

    stored.now, stored.values = 101.0, {"defaults": {"colour": 1}}

    assert await stored.live.current() == known
    operation, error = stored.told.failure("configuration.understand")
    assert operation.facts["version"] == 2
    assert "colour" in operation.facts["reason"]
    assert isinstance(error, Defect)


def test_what_is_built_in_is_a_configuration_that_says_what_holds_without_one():
    built_in = SimulatorConfiguration.from_values(built_in_values())

    assert (built_in.defaults, built_in.limits) == (SimulatorConfiguration().defaults, Limits())


@pytest.mark.parametrize(
    ("key", "path", "value", "source"),
    [
        ("spread", "defaults.spread", 0.05, "configuration"),
        ("defaults.spread", "defaults.spread", 0.05, "configuration"),
        ("chain_size", "defaults.chain_size", 30, "default"),
        ("max_steps", "limits.max_steps", 500, "configuration"),
        ("limits.max_contracts", "limits.max_contracts", None, "default"),
        ("strike_interval", "defaults.strike_interval", None, "configuration"),
    ],
)
def test_a_parameter_says_where_its_value_comes_from(key, path, value, source):
    values = {"defaults": {"spread": 0.05, "strike_interval": None}, "limits": {"max_steps": 500}}

    found = configured_parameter("simulator", key, values, 7)

    assert (found.key, found.value, found.source) == (path, value, source)
    assert found.version == (7 if source == "configuration" else 0)
    assert found.overridden_by == ("request" if path.startswith("defaults.") else None)


@pytest.mark.parametrize(("name", "key"), [("simulator", "colour"), ("other", "spread"), ("other", "a.b.c")])
def test_a_parameter_that_nobody_knows_is_not_found(name, key):
    with pytest.raises(NotFound, match=key):
        configured_parameter(name, key, {"a": {"b": 1}}, 1)


def test_another_configuration_is_read_by_its_paths_alone():
    found = configured_parameter("other", "a.b", {"a": {"b": [1]}}, 2)

    assert (found.value, found.source, found.overridden_by) == ([1], "configuration", None)
