"""What a running cluster logs: lines of JSON, from the processes that know, and none of its secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.clusters import Cluster, create
from tests.waiting import eventually


def facts(cluster: Cluster) -> list[dict[str, Any]]:
    """The lines of all processes of Ray."""
    lines = [
        line
        for file in cluster.instance.ray_logs.glob("worker-*.err")
        for line in file.read_bytes().splitlines()
        if line.startswith(b'{"time":')
    ]
    return [orjson.loads(line) for line in lines]


def test_the_creation_of_a_session_is_logged_by_its_actor(api: httpx.Client, cluster: Cluster) -> None:
    session = create(api)["id"]

    (line,) = eventually(
        lambda: [each for each in facts(cluster) if each["facts"].get("session_id") == session],
        "the actor's line arrives",
    )

    assert (line["event"], line["level"], line["process"]) == ("session.created", "INFO", "session")
    assert line["facts"]["kind"] == "chain"
    assert line["tenant"]


def test_the_command_shows_the_actors_lines(api: httpx.Client, cluster: Cluster) -> None:
    session = create(api)["id"]
    eventually(lambda: session in str(facts(cluster)), "the actor's line arrives")

    shown = cluster.run("logs", "--lines", "500")

    assert shown.returncode == 0
    assert f'"session_id":"{session}"' in shown.stdout


def test_no_key_is_in_any_log(api: httpx.Client, cluster: Cluster) -> None:
    create(api)
    key = cluster.state.api_key
    assert key

    files = [
        file
        for folder in (cluster.instance.logs, cluster.instance.ray_logs)
        for file in folder.rglob("*")
        if file.is_file()
    ]

    assert files
    assert not [file for file in files if key.encode() in file.read_bytes()]


def test_the_commands_of_the_runbooks_do_what_they_say(api: httpx.Client, cluster: Cluster) -> None:
    create(api)
    pages = Path(__file__).parents[2].joinpath("docs", "runbooks").glob("*.md")
    blocks = [block for page in pages for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S)]
    commands = {line for block in blocks for line in block.splitlines()}

    assert commands
    for command in sorted(commands):
        program, *arguments = command.split()
        assert program == "optionchain"
        shown = cluster.run(*arguments)
        assert shown.returncode == 0, (command, shown.stderr)
        assert shown.stdout.strip()
