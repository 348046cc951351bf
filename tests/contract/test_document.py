"""The page about the contract says what the tables say."""

from pathlib import Path

from bansho.contract.document import TABLES, markdown

PAGE = Path(__file__).parents[2] / "docs" / "contract.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown(), "run scripts/docs"


def test_each_row_is_on_the_page() -> None:
    for rows in TABLES.values():
        for row in rows.values():
            assert f"| {row.value} | {row.meaning} | {row.verdict.value} |" in markdown()
