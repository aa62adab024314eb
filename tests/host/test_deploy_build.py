"""The files that deploy makes, and what it compares, without a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools import paths
from host_tools.deploy import build, plan
from host_tools.errors import ToolError


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "FIRMWARE", tmp_path)
    (tmp_path / "sandbox").mkdir()
    for name in ("boot.py", "main.py", "sandbox/__init__.py"):
        (tmp_path / name).write_text("")
    return tmp_path


def test_modules_are_compiled_and_the_two_start_files_are_not(firmware: Path) -> None:
    (firmware / "sandbox" / "a.py").write_text("x = 1\n")
    (firmware / "sandbox" / "a.txt").write_text("text")
    (firmware / "sandbox" / "__pycache__").mkdir()
    (firmware / "sandbox" / "__pycache__" / "a.pyc").write_text("")
    (firmware / "sandbox" / ".a.py.swp").write_text("")
    files = build.application(umqtt=False)
    assert list(files) == [
        "/boot.py",
        "/main.py",
        "/sandbox/__init__.mpy",
        "/sandbox/a.mpy",
        "/sandbox/a.txt",
    ]
    assert files["/sandbox/a.mpy"][:2] == b"M\x06"  # .mpy, version 6
    assert b"\x02a\0" in files["/sandbox/a.mpy"]  # what tracebacks name


def test_umqtt_comes_only_when_asked_for(firmware: Path) -> None:
    assert "/umqtt/simple.mpy" in build.application(umqtt=True)
    assert "/umqtt/simple.mpy" not in build.application(umqtt=False)


def test_module_that_does_not_compile_is_named_with_its_line(firmware: Path) -> None:
    (firmware / "sandbox" / "bad.py").write_text("x = 1\ny = = 2\n")
    with pytest.raises(ToolError, match=r"bad\.py does not compile") as caught:
        build.application(umqtt=False)
    assert "line 2" in caught.value.message


def test_missing_firmware_is_told(firmware: Path) -> None:
    (firmware / "main.py").unlink()
    with pytest.raises(ToolError, match="holds no firmware"):
        build.application(umqtt=False)


def test_abi_of_the_board_is_checked(firmware: Path) -> None:
    files = build.application(umqtt=False)
    build.check_abi(files, 6, "1.28.0")
    with pytest.raises(
        ToolError, match=r"MicroPython 1\.18\.0 loads version 5, but mpy-cross"
    ) as old:
        build.check_abi(files, 5, "1.18.0")
    assert "flash MicroPython" in old.value.hint
    with pytest.raises(ToolError, match=r"loads no \.mpy files"):
        build.check_abi(files, 0, "1.28.0")


def on_board(files: dict[str, bytes], manifest: bytes) -> dict[str, str]:
    found = {name: plan.sha256(content) for name, content in files.items()}
    return {**found, "/sandbox": "", plan.MANIFEST: plan.sha256(manifest)}


FILES = {"/main.py": b"main", "/sandbox/a.mpy": b"a", "/sandbox/b.mpy": b"b"}


def test_plan_for_an_empty_board_is_everything() -> None:
    made = plan.make(FILES, {}, b"", 6)
    assert made.changed == ["/main.py", "/manifest.json", "/sandbox/a.mpy", "/sandbox/b.mpy"]
    assert (made.removed, made.same) == ([], 0)
    assert made.describe() == "4 new, 1 KB to send"


def test_plan_for_an_equal_board_is_nothing() -> None:
    manifest = plan.manifest(FILES, 6, b"")
    made = plan.make(FILES, on_board(FILES, manifest), manifest, 6)
    assert not made
    assert made.describe() == "nothing to do, 4 same"


@pytest.mark.parametrize("manifest", [b"", b"no JSON", b"[]", b'{"files": 1}', b'{"files": {}}'])
def test_damaged_manifest_is_written_anew(manifest: bytes) -> None:
    made = plan.make(FILES, on_board(FILES, manifest), manifest, 6)
    assert made.changed == ["/manifest.json"]
    assert plan.top_level(FILES, manifest)[:3] == ["/switch.txt", "/main.py", "/manifest.json"]


def test_time_a_plan_takes_grows_with_files_and_bytes() -> None:
    made = plan.make({"/sandbox/a.txt": b"x" * 34560}, {}, b"", 6)
    assert made.seconds(11520) == 5  # 1 s to begin, two files, 4 s for base64
    assert made.seconds(150_000) == 1
    assert not plan.make({}, {}, b"", 6).seconds(11520) > 1


def test_contents_of_a_folder_go_before_it() -> None:
    found = {"/umqtt": "", "/umqtt/deep": "", "/umqtt/deep/x.py": "1", "/umqtt/simple.py": "2"}
    removed = plan.make(FILES, found, b"", 6).removed
    assert removed == ["/umqtt/deep/x.py", "/umqtt/deep", "/umqtt/simple.py", "/umqtt"]


def test_file_sent_earlier_is_used_only_if_it_is_the_right_one() -> None:
    found = {"/sandbox/a.mpy.new": plan.sha256(b"a"), "/sandbox/b.mpy.new": plan.sha256(b"part")}
    found["/sandbox/gone.mpy.new"] = plan.sha256(b"gone")
    made = plan.make(FILES, found, b"", 6)
    assert made.staged == {"/sandbox/a.mpy"}
    assert made.removed == ["/sandbox/gone.mpy.new"]
