"""Plain text (.txt): a document a line; an empty line is an empty document."""

from collections.abc import Iterator

from scansion.text.encodings import Lines, without_line_end
from scansion.text.rows import FileOptions, Format, Opened, Row
from scansion.text.sources import Source


def open_lines(source: Source, options: FileOptions) -> Opened:
    """One column of texts without a name of its own."""

    def rows() -> Iterator[Row]:
        lines = Lines(source, 1, options.encoding)
        for line in lines:
            yield Row(lines.row, lines.number, [without_line_end(line)])
            lines.row += 1

    return Opened(["text"], rows)


PLAIN_LINES = Format(open_lines, frozenset({"encoding", "separator"}), named=False)
