"""The device to compute on, and the precision to train in."""

import time

import torch

PRODUCT = (192, 256, 2744)  # the largest matrix product of a training step: rows, sums, columns
ROUNDS = 7


def resolve_device(name: str) -> torch.device:
    """The named device; "auto" is the accelerator if there is one, else the CPU.

    Raises:
        ValueError: if torch does not know the device, or this machine does not have it.
    """
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device is {name!r}; give auto, cpu or cuda ({error})") from None
    if device.type not in ("cpu", accelerator.type if accelerator else "cpu"):
        raise ValueError(f"device is {name!r} but this machine has none; give auto or cpu")
    return device


def resolve_precision(name: str, device: torch.device) -> str:
    """The named precision; "auto" is "bf16" if the device computes faster in it, else "fp32"."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and _is_bf16_faster() else "fp32"


@torch.inference_mode()
def _is_bf16_faster() -> bool:
    """Whether this processor multiplies matrices faster in bf16 than in fp32.

    Whether it supports bf16 in hardware does not tell: on a fifth-generation Intel Xeon with
    AVX512_BF16 but without AMX, a product takes twice as long as in fp32.
    """
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    rows, sums, columns = PRODUCT
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    for _ in range(ROUNDS):
        for dtype in best:
            a, b = (torch.ones(shape, dtype=dtype) for shape in ((rows, sums), (sums, columns)))
            begun = time.perf_counter()
            a @ b
            best[dtype] = min(best[dtype], time.perf_counter() - begun)
    return best[torch.bfloat16] < best[torch.float32]
