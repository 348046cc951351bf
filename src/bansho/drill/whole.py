"""Files that are there whole, old or new, whenever the drill is ended: a report holds hours of rounds."""

from pathlib import Path


def write(path: Path, text: str) -> None:
    """The file's new content, in the place of the old one at one moment."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)
