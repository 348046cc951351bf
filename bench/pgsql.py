"""A PostgreSQL server of its own, and the monitor of the agent that most clusters run one with: a peer of ours."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AGENT = Path("/usr/lib/ocf/resource.d/heartbeat/pgsql")
USER = "postgres"


@contextmanager
def monitored(root: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The command and the environment of `ocf:heartbeat:pgsql monitor` while the server runs."""
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not tools or not AGENT.exists():
        sys.exit(f"{AGENT} or a PostgreSQL server is not there; scripts/setup bench installs it")
    folder, pg_ctl = root / "pgsql", str(tools[-1] / "pg_ctl")
    root.chmod(0o755)
    folder.mkdir()
    shutil.chown(folder, USER)
    data = folder / "data"
    subprocess.run([pg_ctl, "-s", "-D", data, "-o", "-A trust", "init"], user=USER, check=True, stdout=-3, cwd="/")
    options = f"-k {folder} -c listen_addresses=''"
    control = [pg_ctl, "-s", "-w", "-D", str(data)]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], user=USER, check=True, cwd="/")
    given = {"pgctl": pg_ctl, "psql": str(tools[-1] / "psql"), "pgdata": str(data), "socketdir": str(folder)}
    parameters = {f"OCF_RESKEY_{name}": value for name, value in given.items()}
    fixed = {"OCF_ROOT": "/usr/lib/ocf", "OCF_RESOURCE_INSTANCE": "bench", "HA_RSCTMP": str(folder)}
    fixed["OCF_RESKEY_CRM_meta_interval"] = "10000"  # without one it takes the monitor for a probe and does less
    try:
        yield [str(AGENT), "monitor"], {**os.environ, **fixed, **parameters}
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], user=USER, check=False, cwd="/")
