"""Read and write small INI-like configuration text."""

__all__ = ["ConfigError", "get", "merge", "parse_config", "parse_value", "render", "strip_comment"]

TRUE_WORDS = ("true", "yes", "on")
FALSE_WORDS = ("false", "no", "off")


class ConfigError(ValueError):
    """Text that is no valid configuration; `line_number` counts from 1."""

    def __init__(self, message, line_number):
        super().__init__(f"line {line_number}: {message}")
        self.line_number = line_number


def strip_comment(line):
    """Cut off a comment and the white space around what is left.

    `#` and `;` start a comment at the start of the line or after white space,
    and never inside double quotes.
    """
    quoted = False
    for position, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char in "#;" and not quoted and (position == 0 or line[position - 1].isspace()):
            return line[:position].strip()
    return line.strip()


def parse_value(text):
    """Turn the text of a value into None, a bool, an int, a float or a str.

    Empty text is None. The words true/yes/on and false/no/off count in any case.
    Text in double quotes is a str without the quotes, whatever it looks like.
    """
    text = text.strip()
    if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
        return text[1:-1]
    if not text:
        return None
    if text.lower() in TRUE_WORDS:
        return True
    if text.lower() in FALSE_WORDS:
        return False
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text


def parse_config(text):
    """Parse text into a dict of sections, each a dict from key to value.

    Pairs before the first header belong to the section "", which exists only if there
    are any. Keys are lower-cased, section names are not. A section may be opened again
    and goes on. Raises ConfigError for a key given twice in a section, a line without
    "=", an empty key, and a header that is empty or not closed.
    """
    config = {}
    section = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = strip_comment(raw)
        if not line:
            continue
        if line.startswith("["):
            if not line.endswith("]"):
                raise ConfigError("section header is not closed", number)
            section = line[1:-1].strip()
            if not section:
                raise ConfigError("section name is empty", number)
            config.setdefault(section, {})
            continue
        key, equals, value = line.partition("=")
        key = key.strip().lower()
        if not equals or not key:
            raise ConfigError("expected key = value", number)
        pairs = config.setdefault(section, {})
        if key in pairs:
            raise ConfigError(f"key {key!r} is given twice", number)
        pairs[key] = parse_value(value)
    return config


def get(config, path, default=None):
    """Return the value at "section.key"; the last dot separates, the key's case is ignored.

    Without a dot the section is "". `default` stands only for a missing section or key.
    """
    section, _, key = path.rpartition(".")
    return config.get(section, {}).get(key.lower(), default)


def merge(base, override):
    """Return a configuration with `override` laid over `base`; neither is changed.

    A value None in `override` removes the key; an emptied section stays.
    """
    merged = {section: dict(pairs) for section, pairs in base.items()}
    for section, pairs in override.items():
        target = merged.setdefault(section, {})
        for key, value in pairs.items():
            target[key] = value
            if value is None:
                del target[key]
    return merged


def render(config):
    """Write a configuration as text that parses back to the same values.

    Sections and keys are sorted, the section "" comes first without a header, a blank
    line stands between sections. Strings that would be read differently are quoted.
    """
    blocks = []
    for section in sorted(config):
        lines = [f"[{section}]"] if section else []
        for key, value in sorted(config[section].items()):
            if value is None:
                lines.append(f"{key} =")
                continue
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            if isinstance(value, str) and parse_value(strip_comment(shown)) != value:
                shown = f'"{shown}"'
            lines.append(f"{key} = {shown}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)
