"""Every YAML that podway shows or ships is loaded, and nothing in it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from readme_blocks import ROOT, Block, blocks

from podway.check import problems
from podway_cluster import load

DIRECTORIES = sorted(path for path in (ROOT / "manifests").iterdir() if path.is_dir())
FILES = sorted((ROOT / "manifests").rglob("*.y*ml"))


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=str)
def test_yaml_in_readmes(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.yaml").write_text(block.text)
    assert [str(problem) for problem in load([tmp_path]).problems] == []


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=str)
def test_routers_act_on_all_annotations_in_readmes(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.yaml").write_text(block.text)
    found = problems(load([tmp_path]))
    assert [line for line in found if "annotations[" in line or "httpHeaders" in line] == []


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
def test_manifests_have_no_problem_of_their_own(directory: Path) -> None:
    assert [str(problem) for problem in load([directory]).problems] == []


@pytest.mark.parametrize("place", ["lab", "compose"])
def test_the_lab_is_complete(place: str) -> None:
    assert problems(load([ROOT / "manifests" / "apps", ROOT / "manifests" / place])) == []


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_manifest_says_what_it_is_for(file: Path) -> None:
    assert file.read_text().startswith("# ")
