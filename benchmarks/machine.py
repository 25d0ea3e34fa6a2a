"""What figures were measured on, and with."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from emotion import config

_LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "pyarrow", "scikit-learn", "streamlit")


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on and with."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    commit = subprocess.run(describe, cwd=config.ROOT, capture_output=True, text=True).stdout
    return {
        "processor": processor or platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
        "commit": commit.strip(),
    }
