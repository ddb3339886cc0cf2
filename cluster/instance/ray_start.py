"""``ray start`` without the parts that a local instance does not use, for which Ray's command line has no switch.

The server of Ray Client takes 90 MB and two seconds of a core; what is left of the API server without a dashboard is
for usage statistics, which are off. Nothing of ours or of Ray's waits for either.
"""

from __future__ import annotations

import sys
from typing import Any

NO_DASHBOARD = "--include-dashboard=false"
# Where nobody listens. Ray's agents look for an address every second, and write a traceback while there is none.
NOWHERE = b"127.0.0.1:9"


def main() -> None:
    """Run Ray's command line with the arguments of this process."""
    # Here, for whoever only builds the command has no need of Ray.
    from ray._private.node import Node  # noqa: PLC0415
    from ray.scripts import scripts  # noqa: PLC0415

    # Neither is public. If Ray renames one, what is left out is started again, and a test says so.
    vars(scripts)["get_ray_client_dependency_error"] = lambda: ImportError("not used here")
    if NO_DASHBOARD in sys.argv:
        Node.start_api_server = _no_api_server  # type: ignore[method-assign, assignment]
    scripts.main()  # type: ignore[no-untyped-call]


def _no_api_server(node: Any, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
    from ray._private import ray_constants  # noqa: PLC0415

    node.get_gcs_client().internal_kv_put(
        ray_constants.DASHBOARD_ADDRESS.encode(), NOWHERE, True, ray_constants.KV_NAMESPACE_DASHBOARD
    )


if __name__ == "__main__":
    main()
