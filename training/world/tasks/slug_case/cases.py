"""Convert names between cases and turn titles into slugs."""

import unicodedata

__all__ = ["Slugger", "camel", "detect", "kebab", "pascal", "slugify", "snake", "split_words", "title"]

SMALL_WORDS = ("a", "an", "and", "in", "of", "or", "the", "to")
REPLACEMENTS = {"ß": "ss", "æ": "ae", "ø": "o", "&": " and "}


def split_words(name):
    """Split a name into its words, case kept.

    Words end at every character that is no letter or digit, before a capital that follows
    a small letter or digit, and before the last capital of a run that a small letter
    follows: "HTTPServer2Go" is HTTP, Server2, Go.
    """
    words = []
    current = ""
    for place, char in enumerate(name):
        if not char.isalnum():
            words.append(current)
            current = ""
            continue
        after = name[place + 1 : place + 2]
        if char.isupper() and current:
            if not current[-1].isupper() or after.islower():
                words.append(current)
                current = ""
        current += char
    words.append(current)
    return [word for word in words if word]


def snake(name, upper=False):
    """snake_case, or SNAKE_CASE with `upper`."""
    joined = "_".join(split_words(name))
    return joined.upper() if upper else joined.lower()


def kebab(name):
    """kebab-case"""
    return "-".join(split_words(name)).lower()


def pascal(name, keep=()):
    """PascalCase; words listed in `keep` (such as "HTTP") are written as listed."""
    kept = {word.lower(): word for word in keep}
    return "".join(kept.get(w.lower(), w[0].upper() + w[1:].lower()) for w in split_words(name))


def camel(name):
    """camelCase: like PascalCase with a small first word."""
    words = split_words(name)
    if not words:
        return ""
    return words[0].lower() + "".join(pascal(word) for word in words[1:])


def title(text):
    """Capitalise the words of a text, split at white space, and put one blank between them.

    Short words such as "of" stay small unless first or last; words that already hold a
    capital after their first letter ("iPhone") stay as they are.
    """
    words = text.split()
    result = []
    for place, word in enumerate(words):
        inner = 0 < place < len(words) - 1
        if word[1:] != word[1:].lower():
            result.append(word)
        elif inner and word.lower() in SMALL_WORDS:
            result.append(word.lower())
        else:
            result.append(word[0].upper() + word[1:])
    return " ".join(result)


def detect(name):
    """Return "snake", "upper", "kebab", "camel", "pascal" or None for a mixed name.

    A name of one small word is "snake", of one capital word "upper".
    """
    forms = {"snake": snake(name), "upper": snake(name, upper=True), "kebab": kebab(name)}
    forms.update(camel=camel(name), pascal=pascal(name))
    return next((form for form, text in forms.items() if name and text == name), None)


def slugify(text, separator="-", limit=None):
    """Return lower-case ASCII letters and digits, other runs becoming one separator.

    Accents are dropped, "&" becomes "and". With `limit`, whole words are dropped from the
    end until the slug fits; a first word that is too long is cut.
    """
    text = text.lower()
    for old, new in REPLACEMENTS.items():
        text = text.replace(old, new)
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in kept).split()
    slug = separator.join(words)
    if limit is None or len(slug) <= limit:
        return slug
    while len(words) > 1 and len(separator.join(words)) > limit:
        words = words[:-1]
    return separator.join(words)[:limit]


class Slugger:
    """Hands out slugs that differ: the second "intro" becomes "intro-2"."""

    def __init__(self, taken=()):
        self.taken = set(taken)

    def slug(self, text, default="item"):
        """Return the first free of slug, slug-2, slug-3 ...; `default` stands for empty."""
        base = slugify(text) or default
        choices = [base] + [f"{base}-{n}" for n in range(2, len(self.taken) + 2)]
        free = next(choice for choice in choices if choice not in self.taken)
        self.taken.add(free)
        return free
