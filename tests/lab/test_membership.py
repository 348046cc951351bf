"""Reading what crm_mon says."""

from bansho.lab.membership import online

REPORT = """<pacemaker-result><summary><current_dc present="true" with_quorum="{quorum}"/></summary><nodes>
<node name="n1" online="true" pending="false"/><node name="n2" online="true" pending="true"/>
<node name="n3" online="false" pending="false"/></nodes></pacemaker-result>"""


def test_only_members_that_have_joined_are_online() -> None:
    assert online(REPORT.format(quorum="true")) == {"n1"}


def test_nobody_is_without_quorum() -> None:
    assert online(REPORT.format(quorum="false")) == set()


def test_nobody_is_before_there_is_a_coordinator() -> None:
    assert online('<pacemaker-result><summary><current_dc present="false"/></summary></pacemaker-result>') == set()


def test_a_pacemaker_that_is_not_up_says_nothing_that_is_xml() -> None:
    assert online("") == set()
    assert online("crm_mon: Error: cluster is not available on this node") == set()
