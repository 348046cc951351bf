"""Which mounts of the host a node needs."""

from hypothesis import given
from hypothesis import strategies as st

from bansho.lab.mounts import Mount, layers, of_host, parse, with_parents

ROOT = Mount("254:0", "/", "ext4", "/dev/vda")


def test_a_line_with_optional_fields_and_escapes() -> None:
    line = r"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 shared:7 - ext3 /dev/root\040x rw,errors=continue"
    assert parse(line) == [Mount("98:0", "/mnt 2", "ext3", "/dev/root x")]


def test_the_kernels_own_table_is_understood() -> None:
    assert "/" in {mount.point for mount in of_host()}


def test_the_root_alone_needs_no_other_layer() -> None:
    assert layers([ROOT, Mount("0:21", "/proc", "proc", "proc")], ["/srv/checkout"]) == ()


def test_other_disks_are_layers_but_not_what_each_node_has_of_its_own() -> None:
    disks = [Mount("8:2", "/usr", "ext4", "/dev/sda2"), Mount("8:3", "/tmp", "ext4", "/dev/sda3")]
    files = [Mount("8:4", "/etc/hostname", "ext4", "/dev/sda4"), Mount("8:1", "/boot", "vfat", "/dev/sda1")]
    assert layers([ROOT, *disks, *files], []) == ("/usr",)


def test_a_readable_folder_on_another_file_system_makes_that_one_a_layer() -> None:
    home = Mount("0:50", "/home", "nfs4", "server:/home")
    assert layers([ROOT, home], ["/home/ann/checkout"]) == ("/home",)
    assert layers([ROOT, home], ["/homestead"]) == ()


def test_a_readable_folder_that_a_fresh_tmp_would_hide_is_a_layer_itself() -> None:
    assert layers([ROOT], ["/tmp/clone"]) == ("/tmp/clone",)


def test_the_last_mount_at_a_point_counts() -> None:
    assert layers([ROOT, Mount("8:2", "/opt", "ext4", "/dev/sda2"), Mount("0:9", "/opt", "tmpfs", "t")], []) == ()


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))))
def test_every_folder_above_is_named_before_what_is_in_it(paths: list[str]) -> None:
    found = with_parents(paths)
    assert set(paths) <= set(found)
    assert len(set(found)) == len(found)
    for path in found:
        above = path.rpartition("/")[0]
        assert above == "" or found.index(above) < found.index(path)
