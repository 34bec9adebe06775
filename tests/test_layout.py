"""The shape of the code: who may import whom, and that `intake` is ours."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import intake

ROOT = Path(__file__).parent.parent
FOLDERS = ("connectors", "normalizers", "router", "intake")
ROOTS = {ROOT / "intake" / "app.py", ROOT / "intake" / "cli.py"}
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
LONGEST = 600


def imported(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_intake_is_ours() -> None:
    """A package of the same name exists; what is imported here must be this repository's."""
    assert Path(intake.__file__ or "").parent == ROOT / "intake"


@pytest.mark.parametrize("path", [p for p in FILES if p not in ROOTS], ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_of_import_point_to_the_core(path: Path) -> None:
    """Channels, normalizers and router import the core and nothing of each other; the core imports none of them."""
    own = path.relative_to(ROOT).parts[0]
    others = {name.split(".")[0] for name in imported(path)} & set(FOLDERS)
    assert others <= {own, "intake"}


@pytest.mark.parametrize("path", [p for p in FILES if p not in ROOTS], ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_imports_the_composition_root(path: Path) -> None:
    """`app` and `cli` wire everything; whoever imported them would import everything."""
    assert not imported(path) & {"intake.app", "intake.cli"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_readable(path: Path) -> None:
    """No module is longer than 600 lines, and each says in its first line what it owns."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert not text.strip() or ast.get_docstring(ast.parse(text)) or path.name == "__init__.py"


def test_no_module_has_an_empty_name() -> None:
    """A module named for what it is not about hides what it owns."""
    assert not {p.stem for p in FILES} & {"utils", "helpers", "base", "manager", "common"}


def test_every_channel_is_whole() -> None:
    """A channel is a connector, a normalizer, a page of documentation, all under one name."""
    channels = {
        p.stem for p in (ROOT / "connectors").iterdir() if p.name != "__pycache__" and p.stem != "__init__"
    }
    assert channels
    for channel in channels:
        assert (ROOT / "normalizers" / f"{channel}.py").exists(), channel
        assert (ROOT / "docs" / "channels" / f"{channel}.md").exists(), channel
