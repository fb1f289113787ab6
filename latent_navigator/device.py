"""The device to compute on, and the precision to train in."""

import torch


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
    """The named precision; "auto" is "bf16" if the device supports it in hardware, else "fp32"."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported() else "fp32"
