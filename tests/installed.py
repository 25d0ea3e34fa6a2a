"""Whether what requirements.txt installs is enough: python -m tests.installed, in an environment of nothing else.

Imports whatever each requirement brings, shows the page's parts, and votes on an example.
"""

import importlib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit.testing.v1 import AppTest

from emotion import config
from emotion.cli import main as emotion

PAGES = {
    "pictures": "from emotion import load_models; from emotion.page.pictures import show_pictures;"
    "show_pictures(load_models())",
    "models": "from emotion import load_models; from emotion.page.models import show_models;show_models(load_models())",
}


def main() -> None:
    """Raise where something is missing or does not work."""
    lines = (config.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(stated) for line in lines if (stated := line.partition("#")[0].strip())]
    required = {canonicalize_name(r.name) for r in requirements if r.marker is None or r.marker.evaluate()}
    imported = set()
    for module, distributions in metadata.packages_distributions().items():
        brings = {canonicalize_name(name) for name in distributions} & required
        if brings and not module.startswith("_") and module.isidentifier():
            importlib.import_module(module)
            imported |= brings
    if imported != required:
        raise SystemExit(f"not installed, or nothing to import: {', '.join(sorted(required - imported))}")
    for name, script in PAGES.items():
        page = AppTest.from_string(script, default_timeout=60).run()
        if page.exception:
            raise SystemExit(f"the part {name} of the page cannot be shown")
    for picture in sorted(config.EXAMPLES.glob("*.jpg")):
        if emotion(["predict", str(picture)]):
            raise SystemExit(f"no vote on {picture.name}")
    print(f"{len(required)} requirements imported, {len(PAGES)} parts of the page shown, examples voted on")


if __name__ == "__main__":
    main()
