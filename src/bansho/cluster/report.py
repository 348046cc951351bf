"""A report in a file: a picture and tables, as one HTML page, or as Markdown with the picture beside it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from bansho.cluster.errors import CannotReport
from bansho.cluster.model import key
from bansho.cluster.pacemaker.simulate import Proof
from bansho.cluster.plan import Plan, monitoring, on_failure, shortfall

STYLE = (
    "body{font:15px/1.5 sans-serif;color:#1c2733;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border:1px solid #d5dbe1;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#eef3f6}svg{max-width:40rem;height:auto}"
)


class Table(NamedTuple):
    """A titled table; without rows, what is said instead."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    without: str = "nothing"


class Report(NamedTuple):
    """A title, lines of text, a picture (SVG; empty: none), tables."""

    title: str
    lines: Sequence[str]
    picture: str
    tables: Sequence[Table]


def write(report: Report, path: Path) -> None:
    """Writes it: `.md` is Markdown, with its picture in an `.svg` of the same name; else HTML. Raises CannotReport."""
    try:
        if path.suffix == ".md":
            picture = path.with_suffix(".svg")
            if report.picture:
                picture.write_text(report.picture, encoding="utf-8")
            path.write_text(markdown(report, picture.name), encoding="utf-8")
        else:
            path.write_text(html(report), encoding="utf-8")
    except OSError as error:
        raise CannotReport(path=path, reason=error.strerror) from None


def html(report: Report) -> str:
    """One page that needs nothing else."""
    title = escape(report.title)
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>',
        f"<h1>{title}</h1>",
        *(f"<p>{escape(line)}</p>" for line in report.lines),
        report.picture,
        *map(_html_table, report.tables),
    ]
    return "\n".join([*parts, "</html>", ""])


def _html_table(table: Table) -> str:
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2><p>{escape(table.without)}</p>"
    rows = [("th", table.head), *(("td", row) for row in table.rows)]
    lines = ["<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>" for tag, row in rows]
    return f"<h2>{escape(table.title)}</h2>\n<table>\n" + "\n".join(lines) + "\n</table>"


def markdown(report: Report, picture: str) -> str:
    """The same for a wiki or a repository; `picture` is the picture's file name."""
    image = [f"![{report.title}]({picture})"] if report.picture else []
    blocks = [f"# {report.title}", *report.lines, *image, *map(_markdown_table, report.tables)]
    return "\n\n".join(blocks) + "\n"


def _markdown_table(table: Table) -> str:
    if not table.rows:
        return f"## {table.title}\n\n{table.without}"
    rows = [table.head, ("---",) * len(table.head), *table.rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return f"## {table.title}\n\n" + "\n".join(lines)


def of_plan(plan: Plan, picture: str) -> Report:
    """The plan as a report."""
    model = plan.model
    operations = [
        (each.id, key(name), f"{limit.seconds} s", limit.why, on_failure(model, name))
        for each in model.resources
        for name, limit in each.limits.items()
    ]
    budget = [
        (each.subject, f"{each.needed:g} s", each.why, f"{each.allowed:g} s", each.source, "yes" if each.fits else "NO")
        for each in plan.budget
    ]
    lines = [
        f"Nodes: {', '.join(model.nodes)}. {monitoring(model)}. A failed resource restarts"
        f" {model.restarts} times on its node before the logical host fails over; failures are forgotten after"
        f" {model.failure_window:g} s.",
        f"Fencing: {plan.fencing}",
        *(f"Does not fit: {shortfall(each)}" for each in plan.shortfalls),
        *(f"Not checked: {each}" for each in plan.unchecked),
    ]
    return Report(
        f"Plan of the logical host {model.name}",
        lines,
        picture,
        [
            Table("Operations", ("resource", "operation", "limit", "where it comes from", "if it fails"), operations),
            Table("Budget", ("demand", "needs", "because", "has", "from", "fits"), budget),
        ],
    )


def of_proofs(name: str, proofs: Sequence[Proof], picture: str) -> Report:
    """What the cluster's scheduler would do after each event, as a report."""
    rows = [
        (
            proof.event.name,
            proof.event.expected.words(),
            "; ".join(action.words() for action in proof.transition.actions) or "nothing",
            "; ".join(proof.problems) or "right",
        )
        for proof in proofs
    ]
    table = Table("Events", ("event", "the contract expects", "the cluster would do", "verdict"), rows)
    return Report(f"Proof of the logical host {name}", (), picture, [table])
