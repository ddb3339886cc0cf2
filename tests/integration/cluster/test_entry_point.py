"""Our Serve config, and our variables, are those that this Ray knows."""

from __future__ import annotations

from pathlib import Path

import pytest
import ray
import yaml

from cluster.instance.node_variables import EVERY_NODE, IN_COMPANY, WITH_HAPROXY, node_variables

ROOT = Path(__file__).resolve().parents[3]
RAY = Path(ray.__file__).parent
# Those of Ray itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_serve_config_is_what_serve_takes_and_names_what_there_is() -> None:
    from ray.serve.schema import ServeDeploySchema

    from optionchain_server.entry import app
    from serve_app.deploy import APPLICATION

    given = yaml.safe_load((ROOT / "ray_config" / "serve.yaml").read_text(encoding="utf-8"))
    (application,) = ServeDeploySchema.model_validate(given).applications

    assert application.name == APPLICATION
    assert application.import_path == f"{app.__module__}:{app.__name__}"
    # The schema lets unknown names pass.
    assert set(given) <= set(ServeDeploySchema.model_fields)


def test_the_entry_point_takes_no_settings_as_arguments() -> None:
    from optionchain_server.entry import app

    with pytest.raises(ValueError, match="args: port: settings are variables"):
        app({"port": "1"})


def test_every_variable_of_the_nodes_is_one_of_ray() -> None:
    """A renamed one would change nothing, without a word."""
    ours = [name for name in node_variables(EVERY_NODE, WITH_HAPROXY, IN_COMPANY) if name.startswith("RAY_")]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in RAY.rglob("*.py"))
    raylet = (RAY / "core/src/ray/raylet/raylet").read_bytes()

    unknown = [
        name for name in ours if name not in sources and name.removeprefix("RAY_").encode() not in raylet
    ]

    assert len(ours) > 20
    assert unknown == []
