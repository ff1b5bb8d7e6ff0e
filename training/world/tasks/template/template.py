"""Text templates with {{ placeholders }}, filters, conditions and loops."""

import re

__all__ = ["Template", "TemplateError", "lookup", "render"]

TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
MISSING = object()


class TemplateError(ValueError):
    """A template that cannot be read or rendered; `line` counts from 1."""

    def __init__(self, message, line):
        super().__init__(f"{message} (line {line})")
        self.line = line


def lookup(data, path, default=None):
    """Follow a dotted path through dicts and lists; list items are named by their number.

    A name that is not there, at any step, gives the default; None is a value.
    """
    for name in path.split("."):
        if isinstance(data, dict) and name in data:
            data = data[name]
        elif isinstance(data, (list, tuple)) and name.isdigit() and int(name) < len(data):
            data = data[int(name)]
        else:
            return default
    return data


FILTERS = {
    "upper": lambda value: str(value).upper(),
    "trim": lambda value: str(value).strip(),
    "count": len,
    "join": lambda value, separator=", ": separator.join(map(str, value)),
    "first": lambda value, count=1: value[: int(count)],
}


class Template:
    """A parsed template.

    {{ path }} inserts a value, {{ path|filter:argument }} a filtered one, {{ path ? text }}
    the text if the value is missing or None. {{ if path }} ... {{ else }} ... {{ end }}
    and {{ each name in path }} ... {{ end }} enclose parts.
    """

    def __init__(self, text, strict=False):
        self.text = text
        self.strict = strict
        self.nodes, closed_by, rest = self._parse(list(TAG.finditer(text)), 0)
        if closed_by is not None:
            raise TemplateError(f"unexpected {closed_by}", self._line(rest))

    def _line(self, place):
        return self.text.count("\n", 0, place) + 1

    def _parse(self, tags, start):
        """Return the nodes up to `end`, `else` or the end of the text, the word that ended
        them, and the place in the text where they ended."""
        nodes = []
        while tags:
            tag = tags.pop(0)
            nodes.append(("text", self.text[start : tag.start()], 0, ()))
            start = tag.end()
            words = tag.group(1).split()
            line = self._line(tag.start())
            if words in (["end"], ["else"]):
                return nodes, words[0], start
            if len(words) == 2 and words[0] == "if":
                yes, closed_by, start = self._parse(tags, start)
                no = []
                if closed_by == "else":
                    no, closed_by, start = self._parse(tags, start)
                nodes.append(("if", words[1], line, (yes, no)))
            elif len(words) == 4 and words[0] == "each" and words[2] == "in":
                body, closed_by, start = self._parse(tags, start)
                nodes.append(("each", words[3], line, (words[1], body)))
            else:
                nodes.append(("value", tag.group(1).strip(), line, ()))
                continue
            if closed_by != "end":
                raise TemplateError(f"{words[0]} is not closed", line)
        nodes.append(("text", self.text[start:], 0, ()))
        return nodes, None, len(self.text)

    def render(self, data):
        """Return the text with everything filled in.

        A missing value becomes empty text, or with `strict` a TemplateError.
        """
        return "".join(self._render(self.nodes, data))

    def _render(self, nodes, data):
        for kind, content, line, parts in nodes:
            if kind == "text":
                yield content
            elif kind == "value":
                yield self._value(content, line, data)
            elif kind == "if":
                yield from self._render(parts[0] if lookup(data, content) else parts[1], data)
            else:
                for number, item in enumerate(lookup(data, content) or (), start=1):
                    inner = {**data, parts[0]: item, "number": number}
                    yield from self._render(parts[1], inner)

    def _value(self, content, line, data):
        content, has_default, default = content.partition("?")
        path, *filters = [part.strip() for part in content.split("|")]
        value = lookup(data, path, MISSING)
        if value is MISSING and self.strict and not has_default:
            raise TemplateError(f"no value for {path}", line)
        if value is MISSING or value is None:
            return default.strip()
        for entry in filters:
            name, colon, argument = entry.partition(":")
            if name not in FILTERS:
                raise TemplateError(f"unknown filter {name}", line)
            value = FILTERS[name](value, argument) if colon else FILTERS[name](value)
        return str(value)


def render(text, /, **data):
    """Render a text once with the given names."""
    return Template(text).render(data)
