"""`serve deploy` of our Serve config starts what `optionchain up` starts: the same sessions go on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.clusters import Cluster, create, step
from tests.integration.history import mongo_servers
from tests.servers import redis_server
from tests.waiting import eventually

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-of-sixteen-letters"
PATIENCE_SECONDS = 100.0


@pytest.fixture(scope="module")
def cluster_with_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An instance whose nodes have the settings in their environment, as those of a cluster have."""
    folder = tmp_path_factory.mktemp("nodes")
    with (
        redis_server(folder / "redis") as redis,
        mongo_servers.standalone(folder / "mongo") as mongo_uri,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("OCS_REDIS_URL", redis.url)
        environment.setenv("OCS_MONGO_URI", mongo_uri)
        environment.setenv("OCS_AUTH_KEYS", f"owner:admin={KEY}")
        cluster = Cluster(
            folder / "instance",
            redis={"url": redis.url},
            mongo={"uri": mongo_uri},
            auth={"keys": f"owner:admin={KEY}"},
            ray={"dashboard": True},
        )
        with cluster.running():
            yield cluster


def application(cluster: Cluster) -> dict[str, Any]:
    token = Path(cluster.state.environment["RAY_AUTH_TOKEN_PATH"]).read_text().strip()
    answer = httpx.get(
        f"{cluster.state.ray_dashboard}/api/serve/applications/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30.0,
        trust_env=False,
    )
    found: dict[str, Any] = answer.raise_for_status().json()["applications"]["optionchain"]
    return found


def serve_deploy(cluster: Cluster, folder: Path, **of_application: Any) -> None:
    config = yaml.safe_load((ROOT / "ray_config" / "serve.yaml").read_text(encoding="utf-8"))
    config["http_options"] = {"host": "127.0.0.1", "port": cluster.port}
    config["applications"][0] |= of_application
    file = folder / "serve.yaml"
    file.write_text(yaml.safe_dump(config))
    run = subprocess.run(
        [Path(sys.executable).parent / "serve", "deploy", file, "--address", cluster.state.ray_dashboard],
        env=cluster.environment(**cluster.state.environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_session_goes_on_where_a_serve_config_takes_over(
    cluster_with_settings: Cluster, tmp_path: Path
) -> None:
    cluster = cluster_with_settings
    with cluster.client() as api:
        session = create(api)["id"]
        assert step(api, session).json()["session_info"]["current_step"] == 1

        serve_deploy(cluster, tmp_path)

        def runs() -> bool:
            found = application(cluster)
            return found["status"] == "RUNNING" and found["source"] == "declarative"

        eventually(runs, "the application of the config runs", patience_seconds=PATIENCE_SECONDS)
        assert step(api, session).json()["session_info"]["current_step"] == 2


def test_a_wrong_config_is_told_of_and_what_ran_serves_on(
    cluster_with_settings: Cluster, tmp_path: Path
) -> None:
    cluster = cluster_with_settings

    serve_deploy(cluster, tmp_path, args={"replicas": "2"})

    failed = eventually(
        lambda: (found := application(cluster))["status"] == "DEPLOY_FAILED" and found,
        "the config is refused",
        patience_seconds=PATIENCE_SECONDS,
    )
    assert "args: replicas: settings are variables (OCS_...) of every node" in failed["message"]
    with cluster.client() as api:
        assert step(api, create(api)["id"]).status_code == 200
