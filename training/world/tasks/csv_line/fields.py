"""Split and join single lines of separated values."""

__all__ = ["CsvError", "field_needs_quotes", "join_line", "parse_table", "split_line", "split_records"]


class CsvError(ValueError):
    """A line that cannot be split; `column` counts characters from 1."""

    def __init__(self, message, column):
        super().__init__(f"{message} (column {column})")
        self.column = column


def _check_dialect(delimiter, quote):
    if len(delimiter) != 1 or len(quote) != 1:
        raise ValueError("delimiter and quote must be single characters")
    if delimiter == quote:
        raise ValueError("delimiter and quote must differ")


def split_line(line, delimiter=",", quote='"', strip=False):
    """Split one line into its fields; an empty line is one empty field.

    A field whose first character is the quote ends at the next lone quote; a doubled
    quote inside it stands for one. A quote later in an unquoted field is plain text.
    With `strip`, white space around unquoted fields is dropped; quoted ones keep theirs.
    Raises CsvError for text after a closing quote and for a quote that is never closed.
    """
    _check_dialect(delimiter, quote)
    fields = []
    buffer = []
    state = "start"
    opened_at = 0
    for column, char in enumerate(line, start=1):
        if state == "quoted":
            if char == quote:
                state = "closing"
            else:
                buffer.append(char)
        elif char == delimiter:
            fields.append(_finish(buffer, state, strip))
            buffer = []
            state = "start"
        elif state == "closing":
            if char != quote:
                raise CsvError("text after closing quote", column)
            buffer.append(quote)
            state = "quoted"
        elif state == "start" and char == quote:
            state = "quoted"
            opened_at = column
        else:
            buffer.append(char)
            state = "plain"
    if state == "quoted":
        raise CsvError("quote is never closed", opened_at)
    fields.append(_finish(buffer, state, strip))
    return fields


def _finish(buffer, state, strip):
    text = "".join(buffer)
    return text.strip() if strip and state == "plain" else text


def field_needs_quotes(text, delimiter=",", quote='"'):
    """True if the text must be quoted: it holds a delimiter, a quote or a line break,
    or starts or ends with white space."""
    if any(char in text for char in (delimiter, quote, "\n", "\r")):
        return True
    return text != text.strip()


def join_line(values, delimiter=",", quote='"'):
    """Join values into one line that `split_line` splits back into their texts.

    None becomes an empty field, other values their `str`. No values is a ValueError.
    """
    _check_dialect(delimiter, quote)
    parts = []
    for value in values:
        text = "" if value is None else str(value)
        if field_needs_quotes(text, delimiter, quote):
            text = quote + text.replace(quote, quote * 2) + quote
        parts.append(text)
    if not parts:
        raise ValueError("a line needs at least one value")
    return delimiter.join(parts)


def split_records(text, quote='"'):
    """Yield the records of a text: lines, except that breaks inside quotes do not count.

    Records carry no line break at their end; blank lines are left out.
    """
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if pending.count(quote) % 2 == 0:
            record = pending.rstrip("\r\n")
            if record.strip():
                yield record
            pending = ""
    if pending:
        yield pending.rstrip("\r\n")


def parse_table(text, delimiter=",", fill=None):
    """Parse text with a header line into a list of dicts.

    Header names are stripped and must differ (ValueError). A short row is filled up with
    `fill`; a row longer than the header is a ValueError that names its number, from 1.
    """
    rows = [split_line(record, delimiter) for record in split_records(text)]
    if not rows:
        return []
    header = [name.strip() for name in rows[0]]
    if len(set(header)) != len(header):
        raise ValueError("header names must differ")
    table = []
    for number, row in enumerate(rows[1:], start=1):
        if len(row) > len(header):
            raise ValueError(f"row {number} has {len(row)} fields, expected {len(header)}")
        row = row + [fill] * (len(header) - len(row))
        table.append(dict(zip(header, row)))
    return table
