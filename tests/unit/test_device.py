"""The precision that a run takes where none is asked for."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from latent_navigator import device
from latent_navigator.device import resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [((2.0, 1.0), "bf16"), ((1.0, 2.0), "fp32"), ((1.0, 1.0), "fp32")],
)
def test_a_processor_trains_in_the_faster_precision(
    monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float], expected: str
) -> None:
    """The seconds of a product in fp32 and in bf16, of which others disturb all but one."""

    def readings() -> Iterator[float]:
        now = 0.0
        for round_ in range(device.ROUNDS):
            for duration in seconds:
                yield now
                now += duration if round_ == 3 else 50 * duration
                yield now

    clock = SimpleNamespace(perf_counter=readings().__next__)
    monkeypatch.setattr(device, "time", clock)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert resolve_precision("auto", CPU) == expected


def test_a_processor_without_bf16_trains_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(device, "time", None)  # nothing is measured
    assert resolve_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize("name", ["bf16", "fp32"])
def test_a_precision_that_is_asked_for_is_taken(name: str) -> None:
    assert resolve_precision(name, CPU) == name


def test_this_processor_computes_in_one_of_them() -> None:
    assert resolve_precision("auto", CPU) in ("bf16", "fp32")
