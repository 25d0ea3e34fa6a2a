"""Reads what the package needs, for its build, from the files that pip reads: requirements.txt and those beside it."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

EXTRAS = ("train", "cluster")


class RequirementsHook(MetadataHookInterface):
    """Gives hatchling the dependencies and the extras (https://hatch.pypa.io/latest/plugins/metadata-hook/custom/)."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add them to what pyproject.toml says."""
        root = Path(self.root)
        metadata["dependencies"] = _requirements(root / "requirements.txt")
        metadata["optional-dependencies"] = {
            name: _requirements(root / "requirements" / f"{name}.txt") for name in EXTRAS
        }


def _requirements(file: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("-r")]  # what is referred to is needed anyway
