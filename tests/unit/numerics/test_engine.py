"""Kernels: plain until they are compiled, and the same to the bit from then on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.numerics import engine
from optionchain.pricing.kernel import QUOTED, VALUED, Term, price
from tests.waiting import eventually

pytest.importorskip("numba")
FUNCTIONS = [
    numerics.exp,
    numerics.expm1,
    numerics.log,
    numerics.log1p,
    numerics.ndtr,
    numerics.log_ndtr,
    numerics.ndtri,
]


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    assert numerics.compile_kernels()


class _Plain:
    """The kernels without their machine code, for a while."""

    def __enter__(self) -> None:
        self._compiled = [(kernel, kernel._compiled) for kernel in engine._KERNELS]
        for kernel, _ in self._compiled:
            kernel.use(None)

    def __exit__(self, *_: object) -> None:
        for kernel, code in self._compiled:
            kernel.use(code)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(numbers=arrays(np.float64, st.integers(0, 40), elements=st.floats(allow_nan=False)))
@settings(deadline=None, max_examples=100)
def test_machine_code_gives_the_bytes_of_numpy(function: Callable[[Floats], Floats], numbers: Floats) -> None:
    compiled = function(numbers)

    with _Plain():
        plain = function(numbers)

    np.testing.assert_array_equal(np.isnan(compiled), np.isnan(plain))
    assert (
        np.where(np.isnan(compiled), 0.0, compiled).tobytes()
        == np.where(np.isnan(plain), 0.0, plain).tobytes()
    )


@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=8),
    seed=st.integers(0, 2**32),
    rows=st.sampled_from([VALUED, QUOTED]),
    is_smiled=st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_contracts_are_priced_to_the_same_bytes(
    sizes: list[int], seed: int, rows: int, is_smiled: bool
) -> None:
    generator = np.random.default_rng(seed)
    terms = np.stack(
        [
            generator.uniform(1e-3, 1e4, len(sizes)),
            generator.choice([0.0, 1e-6, 0.3, 20.0], len(sizes)),
            generator.uniform(-0.3, 0.3, len(sizes)),
            generator.uniform(0.0, 0.3, len(sizes)),
            generator.choice([0.0, 0.2, 5.0], len(sizes)),
            generator.uniform(-3.0, 3.0, len(sizes)),
            generator.uniform(-3.0, 3.0, len(sizes)),
            generator.choice([0.0, 0.01, 3.0], len(sizes)),
        ]
    )
    if not (is_smiled or rows == QUOTED):
        terms = np.ascontiguousarray(terms[: Term.VOLATILITY])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    columns = np.zeros((rows, offsets[-1]))
    columns[0] = np.repeat(terms[Term.SPOT], sizes) * generator.choice([1.0, 0.5, 1.01, 3.0], offsets[-1])
    columns[1] = generator.choice([0.0, 0.1, 2.0], offsets[-1])
    again = columns.copy()

    price(offsets, terms, columns)
    with _Plain():
        price(offsets, terms, again)

    assert columns.tobytes() == again.tobytes()


def test_a_service_compiles_once_it_has_priced_for_as_long_as_that_takes() -> None:
    numbers = np.linspace(-1.0, 1.0, 1_000)

    with _Plain():
        numerics.compile_when_worthwhile(0.0)
        numerics.exp(numbers)
        eventually(lambda: all(kernel.is_compiled for kernel in engine._KERNELS), "machine code")


def test_a_service_that_prices_little_stays_plain() -> None:
    with _Plain():
        numerics.compile_when_worthwhile(3600.0)
        numerics.exp(np.ones(1_000))
        assert not any(kernel.is_compiled for kernel in engine._KERNELS)
        assert all(thread.name != "compile-kernels" for thread in threading.enumerate())


@pytest.fixture
def other_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As if a module with formulas had another line."""
    module = sys.modules[engine.FORMULAS[0].__module__]
    changed = tmp_path / "elementary.py"
    changed.write_text(Path(str(module.__file__)).read_text() + "\n")
    monkeypatch.setattr(module, "__file__", str(changed))


def test_code_of_other_sources_is_never_found(other_source: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with_change = engine.source_digest()

    monkeypatch.undo()

    assert engine.source_digest() != with_change


def test_a_kernel_is_plain_while_nothing_is_compiled() -> None:
    def double(numbers: Floats, results: Floats) -> None:
        results[:] = 2.0 * numbers

    def double_each(numbers: Floats, results: Floats) -> None:
        raise AssertionError("not compiled")

    try:
        kernel = engine.Kernel("void(float64[::1], float64[::1])", double, double_each)
        results = np.empty(2)
        kernel(np.array([1.0, 4.0]), results)
        assert not kernel.is_compiled
        assert results.tolist() == [2.0, 8.0]
    finally:
        engine._KERNELS.remove(kernel)
