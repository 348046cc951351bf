"""What leaks is found; what settles, falls, swings or jumps once is not."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.drill.growth import Growth, growth, slope

COUNT, STEP = 80, 5.0


def sampled(value: Callable[[int], float], noise: float = 0.0, seed: int = 1) -> list[tuple[float, float]]:
    random = Random(seed)
    return [(STEP * number, value(number) + random.uniform(-noise, noise)) for number in range(COUNT)]


def judged(value: Callable[[int], float], noise: float = 0.0) -> Growth:
    found = growth(sampled(value, noise), tolerated=100.0)
    assert found
    return found


LEAKS: dict[str, Callable[[int], float]] = {
    "a little with each sample": lambda n: 20_000 + 5.0 * n,
    "in steps": lambda n: 20_000 + 50.0 * (n // 8),
    "under a saw": lambda n: 20_000 + 5.0 * n + 40.0 * (n % 6),
    "with a fall in between": lambda n: 20_000 + 10.0 * n - (150 if n > 50 else 0),
    "faster and faster": lambda n: 20_000 + 0.2 * n * n,
}
SOUND: dict[str, Callable[[int], float]] = {
    "constant": lambda n: 20_000,
    "a cache that fills": lambda n: 20_000 + min(n, 30) * 100.0,
    "one jump": lambda n: 20_000 + (5_000 if n > 40 else 0),
    "a saw": lambda n: 20_000 + 300.0 * (n % 6),
    "falling": lambda n: 20_000 - 10.0 * n,
    "one spike": lambda n: 20_000 + (50_000 if n == 60 else 0),
    "growing less than is tolerated": lambda n: 20_000 + 1.0 * n,
    "settling": lambda n: 20_000 - 2_000 * 0.8**n,
}


@pytest.mark.parametrize("value", LEAKS.values(), ids=LEAKS)
@pytest.mark.parametrize("noise", [0.0, 30.0])
def test_a_leak_is_found(value: Callable[[int], float], noise: float) -> None:
    found = judged(value, noise)
    assert found.leaks, found


@pytest.mark.parametrize("value", SOUND.values(), ids=SOUND)
@pytest.mark.parametrize("noise", [0.0, 30.0])
def test_what_is_sound_is_not_accused(value: Callable[[int], float], noise: float) -> None:
    found = judged(value, noise)
    assert not found.leaks, found


def test_descriptors_that_leak_one_by_one_are_found_among_few() -> None:
    found = growth([(float(n), 12 + n // 5) for n in range(40)], tolerated=3)
    assert found
    assert found.leaks
    assert found.last > found.first


def test_too_few_samples_say_nothing() -> None:
    assert growth([], 1.0) is None
    assert growth([(float(n), float(n)) for n in range(8)], 1.0) is None


@given(st.floats(-100, 100), st.floats(-1e6, 1e6), st.integers(0, 2**16))
def test_the_slope_of_a_line_is_its_own_and_outliers_do_not_move_it(rise: float, start: float, seed: int) -> None:
    line = [(float(n), start + rise * n) for n in range(30)]
    assert slope(line) == pytest.approx(rise, abs=1e-3)
    outliers = set(Random(seed).sample(range(30), 3))
    spoilt = [(at, value + (1e9 if at in outliers else 0)) for at, value in line]
    assert abs(slope(spoilt)) < 1e6


@given(st.integers(0, 2**16))
def test_noise_alone_is_no_leak(seed: int) -> None:
    found = growth(sampled(lambda _: 20_000, noise=50.0, seed=seed), tolerated=100.0)
    assert found
    assert not found.leaks
