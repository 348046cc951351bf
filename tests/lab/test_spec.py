"""What a lab may be asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.lab import spec
from bansho.lab.errors import BadSetting


@given(st.integers(16, 65536))
def test_a_disk_size_is_in_mebibytes_or_gibibytes(mebibytes: int) -> None:
    assert spec.disk_size(f"{mebibytes}M") == mebibytes * 1024 * 1024


def test_a_gibibyte_is_1024_mebibytes() -> None:
    assert spec.disk_size("2G") == spec.disk_size("2048M")


def test_nodes_are_numbered_from_one_and_the_host_outside_is_no_node() -> None:
    asked = spec.Spec(name="x", nodes=spec.node_names(2), disk_size=1)
    assert asked.nodes == ("n1", "n2")
    assert asked.hosts == ("n1", "n2", "outside")


@pytest.mark.parametrize(
    ("check", "value"),
    [
        *((spec.lab_name, name) for name in ("", "..", "a/b", "A", "-a", "x" * 21, "a\n")),
        *((spec.node_names, count) for count in (0, -1, 10)),
        *((spec.disk_size, size) for size in ("", "0M", "15M", "65G", "512", "512K", "1e3M", "9999999M", " 512M")),
        *((spec.node_path, path) for path in ("", "etc", "/", "//x", "/a/../b", "/a/.", "/a/", "/a\nb")),
        *((spec.host_folder, path) for path in ("/nonexistent", "/etc/passwd")),
        (spec.user_names, ["ok", "not ok"]),
        (spec.user_names, ["--root=/"]),
    ],
)
def test_what_is_outside_its_range_is_refused_and_named(check: Callable[[object], object], value: object) -> None:
    with pytest.raises(BadSetting) as refused:
        check(value)
    assert "expected" in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=30))
def test_a_name_is_accepted_only_where_it_is_one_safe_folder(name: str) -> None:
    try:
        spec.lab_name(name)
    except BadSetting:
        return
    assert Path("/run", name).parent == Path("/run")
    assert name.isascii()
    assert not set(name) & set(" \n\0$")


@given(st.text(alphabet="/.ab", max_size=12))
def test_a_path_in_a_node_has_no_way_up(path: str) -> None:
    try:
        spec.node_path(path)
    except BadSetting:
        return
    assert path.startswith("/")
    assert not {".", ".."} & set(path.split("/"))
