"""A page as a test reads it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Tables as lists of rows of (text, value) pairs; all tags; all text."""

    VOID = frozenset({"meta", "link", "img", "br", "use", "path", "rect"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.tables, self.text, self.open = [], [], [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            value = dict(attrs).get("data-value")
            self.tables[-1][-1].append(["", None if value is None else float(value)])

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1][0] += f" {data.strip()}" if data.strip() else ""
