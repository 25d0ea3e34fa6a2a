"""What figures were measured on, and with."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from emotion import config


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on and with."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=config.ROOT, capture_output=True, text=True).stdout
    return {
        "processor": processor or platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("numpy", "onnxruntime", "opencv-python-headless")},
        "commit": commit.strip(),
    }
