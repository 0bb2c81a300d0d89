"""Tables of a saved page as rows of cells."""

from dataclasses import dataclass

from lxml import html

from calmness.metatrader.statement import MAX_ROWS, Unreadable


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a cell; ``title`` holds the comment in MetaTrader 4's statements."""

    text: str
    title: str = ""


Row = list[Cell]


def rows_of(text: str) -> list[Row]:
    """All rows of all tables, in order. Hidden cells, which MetaTrader 5 uses for layout, are left out."""
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        tree = html.document_fromstring(text, parser=parser)
    except (ValueError, html.etree.LxmlError) as error:
        raise Unreadable("no_statement") from error
    found: list[Row] = []
    for row in tree.iter("tr"):
        if len(found) >= MAX_ROWS:
            raise Unreadable("too_many_rows")
        cells = [_cell(cell) for cell in row.iterchildren("td", "th") if "hidden" not in cell.get("class", "").split()]
        found.append(cells)
    return found


def filled(row: Row) -> list[str]:
    """Texts of the cells that hold one."""
    return [cell.text for cell in row if cell.text]


def _cell(element: html.HtmlElement) -> Cell:
    return Cell(" ".join(element.text_content().split()), element.get("title", "").strip())
