"""The known defects of hand-written control scripts, found without running them: `check(path)`."""

from bansho.cluster.scriptcheck.rules import Finding, check, is_script

__all__ = ["Finding", "check", "is_script"]
