"""What the cluster says of logical hosts: which of its groups are some, and whether it keeps its hands off one."""

import pytest
from tests.cluster.crm_mon import document

from bansho.cluster.errors import NotOurs
from bansho.cluster.pacemaker import cib, status

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
