"""The service of sweeps without Ray: an engine that waits for its test, and a way in without an actor."""

from __future__ import annotations

import asyncio
import threading

from cluster.sweeps.gateway import SweepGateway
from cluster.sweeps.service import OVER
from cluster.sweeps.settings import SweepSettings
from optionchain.observing import Unobserved
from optionchain.sweeps import InProcess
from tests.waiting import eventually

PATIENCE_SECONDS = 20.0


class Gated:
    """An engine that computes nothing until the gate is opened."""

    seconds_per_task = 0.0

    def __init__(self):
        self.gate = threading.Event()
        self.is_computing = threading.Event()

    def open(self):
        self.gate.set()

    observer = Unobserved()

    def check(self, sweep):
        return

    def outcomes(self, sweep, pending, folder):
        for outcome in InProcess(seconds_per_task=0.0).outcomes(sweep, pending, folder):
            yield outcome
            self.is_computing.set()
            assert self.gate.wait(PATIENCE_SECONDS)


def wait(service, owner, identity):
    def shown():
        status = service.status(owner, identity)
        return status if status["state"] in OVER else None

    return eventually(shown, "the sweep is over", patience_seconds=PATIENCE_SECONDS)


class Here(SweepGateway):
    """The service behind the routes without an actor between them."""

    def __init__(self, service, **settings):
        super().__init__("none", SweepSettings(**settings))
        self._service = service
        self.calls = []

    async def _call(self, context, method, *arguments):
        self.calls.append(method)
        return await asyncio.to_thread(getattr(self._service, method), *arguments)
