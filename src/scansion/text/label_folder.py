"""A folder with a sub-folder for each label, and in it a file for each document."""

from collections.abc import Iterator

from scansion.errors import DataError
from scansion.text.encodings import read_text
from scansion.text.rows import FileOptions, Format, Opened, Row
from scansion.text.sources import Source, label_files, label_folders


def open_folder(source: Source, options: FileOptions) -> Opened:
    """A text and a label a file, sorted by label and name."""

    def rows() -> Iterator[Row]:
        number = 0
        for folder in label_folders(source):
            for file in label_files(folder):
                number += 1
                try:
                    yield Row(number, 1, [read_text(file, str(file), options.encoding), folder.name])
                except DataError as error:
                    yield Row(number, 1, [], str(error), str(file))

    return Opened(["text", "label"], rows)


LABEL_FOLDER = Format(open_folder, frozenset({"encoding"}), named=False)
