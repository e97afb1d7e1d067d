"""Files that are no text, known by their first bytes: what they are, and what to do with them."""

SIGNATURES = {
    b"PK\x03\x04": "a zip archive. If it is a workbook, name it .xlsx or .ods; else unpack it",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file, or a workbook with a password. Save it as .xlsx, without "
                                         "a password",
    b"PAR1\x15": "a parquet file. Name it .parquet",
    b"ARROW1\0\0": "an Arrow file. Save it as .parquet",
    b"%PDF-": "a PDF. Save its text, or the table in it, as a file of its own",
    b"{\\rtf": "a rich text document. Save it as plain text",
    b"SQLite format 3\0": "an SQLite database. Write the table to a .csv",
    b"\xfd7zXZ\0": "packed with xz. Unpack it, or pack it with gzip",
    b"(\xb5/\xfd": "packed with zstandard. Unpack it, or pack it with gzip",
    b"BZh91AY&SY": "packed with bzip2. Unpack it, or pack it with gzip",
    b"7z\xbc\xaf'\x1c": "a 7z archive. Unpack it",
    b"\x89PNG\r\n": "a picture",
    b"\x80\x04\x95": "a Python pickle, which would run code when it is read. Write the table to a .parquet",
}
LONGEST = max(map(len, SIGNATURES))


def known_by_signature(beginning: bytes) -> str | None:
    """What bytes that begin like this are, with what to do; None for what may be text."""
    return next((what for mark, what in SIGNATURES.items() if beginning.startswith(mark)), None)
