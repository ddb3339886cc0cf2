"""Drills of what a machine runs out of: room on its disk, and the time of its certificate."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx

from cluster.instance.ports import free_ports
from proving.chaos.load import BadLoad
from proving.chaos.sessions import ChaosSession
from proving.drills.certificates import Authority
from proving.drills.scene import ADMIN, Scene
from proving.patience import until

DISK_MEGABYTES = 1024
FILLED_AT_A_TIME = 4 << 20


async def full_disk(scene: Scene) -> float:
    """Somebody else fills the disk of the data folder: what writes is refused in time, and served again with room."""
    with _small_disk(scene.settings.data.folder) as disk:
        async with scene.started(), scene.crowd() as crowd:
            scene.tell("somebody fills the disk")
            filler = disk / "of-somebody-else"
            began = time.monotonic()
            await asyncio.to_thread(_fill, filler)
            async with scene.api(ADMIN) as api:
                await until(lambda: _refuses_writes(api), "writes are refused")
            scene.tell("writes are refused; the file of somebody else is removed")
            filler.unlink()
            await crowd.served_again()
            return time.monotonic() - began


async def expired_certificate(scene: Scene) -> float:
    """The certificate of HTTPS has expired, and whoever checks it turns away; a new one is put in its place."""
    folder = scene.settings.data.folder.parent
    authority, certificate, key = Authority(), folder / "tls.crt", folder / "tls.key"
    authority.issue(certificate, key)
    (port,) = free_ports(1)
    http = {"certificate": certificate, "certificate_key": key, "tls_port": port}
    encrypted = replace(scene, settings=scene.settings.with_changes({"http": http}))
    async with encrypted.started(), encrypted.crowd(), _checking(encrypted, authority, port) as api:
        await until(lambda: _is_served(api), "clients that check the certificate are served")
        scene.tell("the certificate expires")
        authority.issue(certificate, key, ends_in=-timedelta(days=1))
        await until(lambda: _is_refused(api), "clients that check it turn away")
        scene.tell("another is put in its place")
        began = time.monotonic()
        authority.issue(certificate, key)
        await until(lambda: _is_served(api), "they are served again")
        return time.monotonic() - began


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own for a folder.

    Raises:
        BadLoad: None can be had: only root mounts one.
    """
    folder.mkdir(parents=True, mode=0o700)
    size = f"size={DISK_MEGABYTES}m,mode=0700"
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None or os.geteuid() != 0:
        raise BadLoad("a small disk to fill takes root, who may mount one")
    command = [mount, "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if subprocess.run(command, check=False, timeout=10).returncode:  # noqa: S603
        raise BadLoad("no small disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run([unmount, "--lazy", str(folder)], check=True, timeout=10)  # noqa: S603


def _fill(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as target:
        while target.write(bytes(FILLED_AT_A_TIME)) == FILLED_AT_A_TIME:
            pass


async def _refuses_writes(api: httpx.AsyncClient) -> bool:
    with suppress(httpx.HTTPError):
        answer = await api.post("/api/v1/chain", json=ChaosSession(0).request)
        return answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return False


@asynccontextmanager
async def _checking(scene: Scene, authority: Authority, port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Clients that know the authority, each request on a connection of its own."""
    context = ssl.create_default_context(cadata=authority.text)
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{port}",
        headers={"X-API-Key": scene.keys[ADMIN]},
        verify=context,
        limits=limits,
        trust_env=False,
    ) as api:
        yield api


async def _is_served(api: httpx.AsyncClient) -> bool:
    with suppress(httpx.HTTPError):
        return (await api.get("/api/v1/config")).is_success
    return False


async def _is_refused(api: httpx.AsyncClient) -> bool:
    try:
        await api.get("/api/v1/config")
    except httpx.ConnectError as error:
        return "certificate has expired" in str(error)
    return False
