import orjson
import pytest

from cluster.settings import Settings
from cluster.sweeps.gateway import ACTOR, open_sweeps
from cluster.sweeps.service import OVER
from optionchain import InvalidInput
from optionchain.errors import NotFound
from tests.callers import on_behalf_of
from tests.integration.sweeps.sweep_services import TASKS, no_cluster, scheduling
from tests.unit.sweeps.sweep_documents import DOCUMENT
from tests.waiting import until

NAMESPACE = "sweep-test"
pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("ray_address")]


@pytest.fixture
async def sweeps(tmp_path, mongo_there):
    """The way to the actor, with a scheduler that hands runs out to it."""
    import ray

    settings = Settings(
        mongo=mongo_there, ray={"namespace": NAMESPACE}, sweep={"output": str(tmp_path)}, task=TASKS
    )
    gateway = open_sweeps(settings, no_cluster)
    async with scheduling(settings, gateway):
        yield gateway
    ray.kill(ray.get_actor(ACTOR, namespace=NAMESPACE))


async def over(sweeps, identity):
    async def shown():
        status = await sweeps.status(on_behalf_of("first"), identity)
        return status if status["state"] in OVER else None

    return await until(shown, "the sweep is over", patience_seconds=90.0)


async def test_an_actor_runs_the_sweeps_of_callers_on_its_cluster(sweeps):
    identity = (await sweeps.submit(on_behalf_of("first"), DOCUMENT))["id"]

    assert (await over(sweeps, identity))["state"] == "completed"
    assert len(orjson.loads(await sweeps.results(on_behalf_of("first"), identity, "json"))) == 6
    with pytest.raises(NotFound):
        await sweeps.status(on_behalf_of("second"), identity)
    with pytest.raises(InvalidInput) as caught:
        await sweeps.submit(on_behalf_of("first"), DOCUMENT | {"pathes": 1})
    assert caught.value.field == "pathes"


async def test_a_sweep_survives_the_death_of_its_actor(sweeps):
    import ray

    wire = DOCUMENT | {"grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 300}}, "paths": 1000}
    identity = (await sweeps.submit(on_behalf_of("first"), wire))["id"]
    ray.kill(ray.get_actor(ACTOR, namespace=NAMESPACE), no_restart=False)

    shown = await over(sweeps, identity)

    assert shown["state"] == "completed"
    assert len(orjson.loads(await sweeps.results(on_behalf_of("first"), identity, "json"))) == 300
