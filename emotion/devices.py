"""Where PyTorch computes, and in which precision."""

import torch


def best_device() -> torch.device:
    """Choose where to compute.

    Returns
    -------
    torch.device: the graphics card if PyTorch can use one, else the processor
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where the hardware does; emulated, it takes more than twice the time of single precision.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    torch.autocast, a context
    """
    if device.type == "cuda":
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # PyTorch's own test of its library says yes to any processor with AVX-512.
        supported = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=supported)
