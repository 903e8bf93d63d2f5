"""Makes Python of the .proto files whenever the distribution is built or installed, also in place (`pip install -e shop`).

What is made lies beside its .proto file, is never committed, and is made again by `python shop/hatch_build.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["GeneratedCode", "generate"]

_PROTOS = Path("shop", "contracts", "proto")


class GeneratedCode(BuildHookInterface[Any]):
    """Hatchling's hook."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        generate(Path(self.root))


def generate(root: Path) -> None:
    """Make the modules of every .proto file under the distribution's folder. Raises RuntimeError where one is not in
    order."""
    from grpc_tools import protoc

    source = root / "src"
    files = [str(path.relative_to(source)) for path in sorted((source / _PROTOS).glob("*.proto"))]
    wellknown = Path(protoc.__file__).parent / "_proto"
    places = [f"--python_out={source}", f"--pyi_out={source}", f"--grpc_python_out={source}"]
    if protoc.main(["protoc", f"-I{source}", f"-I{wellknown}", *places, *files]):
        raise RuntimeError(f"protoc refuses one of {', '.join(files)}; it has said why above")


if __name__ == "__main__":
    generate(Path(__file__).resolve().parent)
    sys.exit(0)
