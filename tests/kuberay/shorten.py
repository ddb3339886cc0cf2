"""Make a schema of this folder from one of KubeRay's files: `python tests/kuberay/shorten.py ray.io_rayjobs.yaml`.

Of the definition it keeps the schema of version v1, and of that everything but the descriptions, which are four
fifths of the file and which no test reads.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml


def without_descriptions(schema: Any) -> Any:
    """The schema without its texts; a property that is named "description" stays."""
    if isinstance(schema, list):
        return [without_descriptions(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: without_descriptions(each) for name, each in value.items()}
        if key == "properties"
        else without_descriptions(value)
        for key, value in schema.items()
        if key != "description"
    }


def main() -> None:
    """Write the schema beside this script, named for the kind of object."""
    definition = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    (version,) = (each for each in definition["spec"]["versions"] if each["name"] == "v1")
    kind = definition["spec"]["names"]["kind"].lower()
    schema = without_descriptions(version["schema"]["openAPIV3Schema"])
    Path(__file__).with_name(f"{kind}.json").write_text(
        json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
