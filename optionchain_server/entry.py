"""What a Serve config imports, ``optionchain_server.entry:app``: so `serve deploy` and KubeRay start the service.

The one name that is the same in a clone and where the service is installed.
"""

from __future__ import annotations

from ray.serve import Application

from cluster.settings_of_node import settings_of_node
from serve_app.app import deployment


def app(arguments: dict[str, str]) -> Application:
    """The service, by the settings in the environment of the nodes.

    Args:
        arguments: `args` of the Serve config: there are none, for actors and the command line would not see them.

    Raises:
        ValueError: There are arguments.
        BadSettings: The environment lacks a setting, or has a wrong one.
    """
    if arguments:
        raise ValueError(f"args: {', '.join(arguments)}: settings are variables (OCS_...) of every node")
    return deployment(settings_of_node())
