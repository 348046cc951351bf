"""What the cluster says of logical hosts: which of its groups are some, and whether it keeps its hands off one."""

from pathlib import Path

import pytest
from tests.cluster.crm_mon import document

from bansho.cluster.errors import NotOurs
from bansho.cluster.pacemaker import cib, operate, status

THEIRS = """<group id="web"><primitive id="web-fs" class="ocf" provider="heartbeat" type="Filesystem"/>
<primitive id="web-server" class="systemd" type="nginx"/></group>"""
OURS = """<group id="watch"><primitive id="watch-disk" class="ocf" provider="heartbeat" type="Filesystem"/>
<primitive id="watch-base" class="ocf" provider="bansho" type="suite"/></group>"""
CIB = f"<cib><configuration><resources>{THEIRS}{OURS}</resources></configuration></cib>"
SEEN = document().replace(
    "<resources>",
    '<resources><group id="web" managed="true"><resource id="web-server" resource_agent="systemd:nginx"'
    ' role="Started" active="true" managed="true"><node name="n3"/></resource></group>',
)


def test_the_members_of_somebody_elses_group_are_not_told() -> None:
    assert cib.members(cib.parse(CIB), "watch") == ["watch-disk", "watch-base"]
    assert cib.members(cib.parse(CIB), "guard") == []
    with pytest.raises(NotOurs, match="BSHO6060-E logical host web: "):
        cib.members(cib.parse(CIB), "web")


@pytest.mark.parametrize("agent", ["ocf:bansho:suite", "ocf::bansho:suite"])
def test_only_logical_hosts_are_listed(agent: str) -> None:
    seen = cib.parse(SEEN.replace("ocf:bansho:suite", agent))
    assert status.registered(seen) == ["watch"]
    assert status.read(seen, "watch") is not None
    assert status.read(seen, "web") is None
    assert status.has_group(seen, "web")
    assert not status.has_group(seen, "guard")


@pytest.mark.parametrize(
    ("group", "everywhere", "maintenance"),
    [('managed="false"', "false", False), ('managed="false" maintenance="true"', "false", True), ("", "true", True)],
)
def test_unmanaged_alone_is_no_maintenance(group: str, everywhere: str, maintenance: bool) -> None:
    seen = (
        document(managed="false").replace('managed="false"', group, 1).replace('-mode="false', f'-mode="{everywhere}')
    )
    found = status.read(cib.parse(seen), "watch")
    assert found is not None
    assert (found.maintenance, found.unmanaged != []) == (maintenance, not maintenance)


def test_what_is_just_starting_is_waited_for_before_it_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scripts play Pacemaker's programs: all runs, on n3, once `crm_resource --wait` has come back."""
    start, end = '<resource id="watch-manager"', '<node name="n3" id="3" cached="true"/></resource></group>'
    assert start in document()
    assert document().count(end) == 1
    (tmp_path / "all").write_text(document())
    (tmp_path / "starting").write_text(document().replace(end, "</resource></group>"))
    for program, script in (
        ("crm_mon", f"[ -e {tmp_path}/calls ] && exec cat {tmp_path}/all; exec cat {tmp_path}/starting"),
        ("crm_resource", f'echo "$*" >>{tmp_path}/calls'),
    ):
        (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert operate.move("watch", "n3", patience=5).home == "n3"
    assert (tmp_path / "calls").read_text() == "--wait --timeout=5s\n", "it is there: nothing is left to be moved"
