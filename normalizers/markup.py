"""Plain text out of hostile HTML: what a reader would see, with the quoted parts marked."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import accumulate, zip_longest

import re2
from selectolax.lexbor import LexborHTMLParser

ATTRIBUTION = "\ue0f0"
"""Stands alone on a line where the markup itself says that an earlier mail begins."""

LONGEST = 2_000_000
"""Characters of HTML read."""

# looked for in every text: CPython seeks the low byte of a letter, and hardly any other letter has these
_OPEN, _CLOSE, _LINE = "\ue0f1", "\ue0f2", "\ue0f3"
_PRIVATE_MARKS = (ATTRIBUTION, _OPEN, _CLOSE, _LINE)
_PRIVATE = re.compile("[\ue0f0-\ue0f3]")
_DEEPEST = 800
_UNCHECKED_TAGS = 4_000  # so many open elements parse in 20 ms; 20,000 take half a second
_UNSEEN = "script,style,title,template,iframe,noembed,noframes,object,embed,canvas,datalist,[hidden],input"
_STYLED = "[style]"
_OUTLOOK_LINES = 'div[style*="border-top"]'
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all"
    r"|(?:font-size|opacity|max-height)\s*:\s*0*\.?0+(?:px|pt|em|rem|%)?\s*(?:!important)?\s*(?:;|$)",
    re.IGNORECASE,
)
_QUICK_BLANK = r"(?:[\s\pZ\x1c-\x1f\x{85}]|&nbsp;)*"
_MAYBE_HIDING = re2.compile(
    rf"(?i)display{_QUICK_BLANK}:{_QUICK_BLANK}none|visibility{_QUICK_BLANK}:|mso-hide"
    rf"|(?:font-size|opacity|max-height){_QUICK_BLANK}:{_QUICK_BLANK}[0.]"
)
# where Gmail, Thunderbird, Outlook (desktop, web, phone), Yahoo and Proton say that a quoted mail begins
_QUOTE_STARTS = (
    ".gmail_attr,.moz-cite-prefix,#appendonsend,#divRplyFwdMsg,#stopSpelling,.yahoo_quoted,.protonmail_quote,"
    "#mail-editor-reference-message-container,.OutlookMessageHeader,#OLK_SRC_BODY_SECTION,"
    ".gmail_quote_container,.reply-intro,#isReplyContent,.wlmail_quote"
)
_OUTLOOK_LINE = re.compile(r"border:\s*none;\s*border-top:\s*solid\s+#?\w{3,7}\s+1\.0pt", re.IGNORECASE)
# one look for all that the tree has to be asked about; most first messages have none of it
_TO_CHANGE = re2.compile(
    _MAYBE_HIDING.pattern
    + rf"|<(?:!--|pre|textarea|{'|'.join(re.findall(r'(?:^|,)([a-z]+)', _UNSEEN))})|\shidden"
    + f"|{'|'.join(re.findall(r'[A-Za-z_][A-Za-z_-]+', _QUOTE_STARTS))}|border-top{_QUICK_BLANK}:{_QUICK_BLANK}solid"
)

_MOST_ATTRIBUTES = 3_000  # of one element; 50,000 take seven seconds
_ATTRIBUTE_VALUE = re.compile(r"""=\s*+(?:"[^"]*+"?|'[^']*+'?)""")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PRE = re.compile(r"<(pre|textarea|listing|xmp)\b[^>]*>(.*?)</\1>", re.DOTALL)
_TAG = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9:-]*)[^>]*>")  # a serialised attribute holds no ">"
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
_TAG_START = re.compile(r"<(/?)[a-zA-Z]")
_DEPTH_STEP = {"": 1, "/": -1}
_DEPTH_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_UNNESTED = frozenset(
    {
        "br", "img", "hr", "meta", "link", "input", "col", "wbr", "area", "base", "p", "li", "td", "th",
        "tr", "option", "dt", "dd", "tbody", "thead",
    }
)  # fmt: skip
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "body", "center", "dd", "details", "dialog", "dir", "div", "dl",
        "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre",
        "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "caption",
    }
)  # fmt: skip
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"])
_BR, _CELL = -1, 0
# the least number of newlines that a tag asks for; a <br> adds one, a cell a blank
_LAYOUT = {
    **{f"{slash}{name}": 1 for name in (*_BLOCKS, "blockquote", "hr") for slash in ("", "/")},
    **{f"{slash}{name}": 2 for name in _SPACED for slash in ("", "/")},
    "br": _BR,
    "td": _CELL,
    "th": _CELL,
}
_MARKS = {"blockquote": f"{_OPEN}\n", "/blockquote": f"{_CLOSE}\n", "li": "- "}
_FILLER = re.compile("[\u00ad\u034f\u2007\u200c\ufeff]+")  # what newsletters pad their previews with
_ALT_OR_LINK = re.compile(r"<(?:img|a)\b[^>]{0,2000}?\b(?:alt|href)\s*=\s*\"([^\"]{1,500})\"", re.IGNORECASE)


def to_text(source: str) -> str:
    """The visible text, a line per block, quotes as "> " lines and `ATTRIBUTION` before quoted mails.

    Never raises; markup nested beyond reason is stripped without being understood. Combining marks are not
    bounded here: `clean_text` does that.
    """
    source = source[:LONGEST]
    if any(mark in source for mark in _PRIVATE_MARKS):
        source = _PRIVATE.sub("", source)
    if not _TAG_START.search(source):
        return _tidy(html.unescape(source))
    if is_absurd(source, _UNCHECKED_TAGS):
        return _tidy(_strip(source))
    tree = LexborHTMLParser(source)
    body = tree.body
    if body is None:
        return ""
    serialised = body.html or ""
    encoded = serialised.encode("utf-8", "replace")
    if _TO_CHANGE.search(encoded):
        _drop_unseen(tree)
        if _MAYBE_HIDING.search(encoded):
            _drop_hidden(tree)
        _mark_quotes(tree)
        serialised = _flatten(body.html or "")
    return _render(serialised) or _links_only(serialised)


def is_absurd(source: str, unchecked: int = _DEEPEST) -> bool:
    """Whether parsing it would take quadratic time: too many open elements, or attributes of one.

    Depth is not looked at below `unchecked` tags.
    """
    if any(map(_has_many_attributes, _long_pieces(source, 2 * _MOST_ATTRIBUTES))):
        return True
    if source.count("<") <= unchecked:
        return False
    steps = map(_DEPTH_STEP.__getitem__, _TAG_START.findall(source))
    if max(accumulate(steps), default=0) <= _DEEPEST:
        return False
    depth = 0
    for match in _DEPTH_TAG.finditer(source):
        if match[2].lower() in _UNNESTED:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > _DEEPEST:
            return True
    return False


def _long_pieces(source: str, longest: int) -> Iterator[str]:
    """What stands between two "<" that are further apart than `longest`; all else is jumped over."""
    start = 0
    while len(source) - start > longest:
        last = source.rfind("<", start, start + longest + 1)
        if last < 0:
            end = source.find("<", start + longest)
            yield source[start : end if end >= 0 else len(source)]
            last = end if end >= 0 else len(source)
        start = last + 1


def _has_many_attributes(piece: str) -> bool:
    bare = _ATTRIBUTE_VALUE.sub("=", piece)
    return max(len(bare.split()), bare.count("="), bare.count("/")) > _MOST_ATTRIBUTES


def _strip(source: str) -> str:
    source = re.sub(r"(?is)<(script|style|title|template)\b.*?(?:</\1\s*>|\Z)", " ", source)
    text = re.sub(r"(?i)<(?:br|/?p|/?div|/?tr|/?li|/?table)\b[^<>]{0,2000}>", "\n", _COMMENT.sub(" ", source))
    return html.unescape(_ANY_TAG.sub(" ", text))


def _drop_unseen(tree: LexborHTMLParser) -> None:
    for node in tree.css(_UNSEEN):
        node.decompose()


def _drop_hidden(tree: LexborHTMLParser) -> None:
    """Take out what styles hide. Asking every element for its style costs more than all the rest."""
    hides: dict[str, bool] = {}
    for node in tree.css(_STYLED):
        style = node.attributes.get("style") or ""
        if style not in hides:
            hides[style] = _HIDING.search(style) is not None
        if hides[style] and node.tag not in {"html", "body"}:
            node.decompose()


def _mark_quotes(tree: LexborHTMLParser) -> None:
    """Put marks before quoted mails."""
    lines = [
        node for node in tree.css(_OUTLOOK_LINES) if _OUTLOOK_LINE.search(node.attributes.get("style") or "")
    ]
    for node in tree.css(_QUOTE_STARTS) + lines:
        node.insert_before(f"{_LINE}{ATTRIBUTION}{_LINE}")


def _flatten(serialised: str) -> str:
    """The same without comments, and with tags in place of the line ends that show."""
    if "<!--" in serialised:
        serialised = _COMMENT.sub("", serialised)
    if "<pre" in serialised or "<textarea" in serialised:
        serialised = _PRE.sub(_keep_lines, serialised)
    return serialised.replace(_LINE, "<br>")


def _render(serialised: str) -> str:
    """Text of well-formed serialised HTML: all that is left of it to know is where the tags are."""
    pieces = _TAG.split(serialised.replace("\n", " "))
    text = _lay_out(pieces[0::2], pieces[1::2])
    if "&" in text:
        text = html.unescape(text)
    if "\u00ad" in text or "\u034f" in text:
        text = _FILLER.sub("", text)
    if _OPEN in text:
        text = _prefix_quotes(text)
    return _tidy(text)


def _keep_lines(match: re.Match[str]) -> str:
    return f"<pre>{match[2].replace(chr(10), _LINE)}</pre>"


def _lay_out(texts: list[str], tags: list[str]) -> str:
    """Newlines as a browser draws them: blocks share one, `<br>` each make one, paragraphs keep a distance."""
    out: list[str] = []
    lines, wanted = 0, 0  # newlines of <br> since the last text, and the least a block asks for
    for text, tag in zip_longest(texts, tags, fillvalue=""):
        if text:
            if not text.isspace():
                if lines or wanted:
                    out.append("\n" * max(lines, wanted))
                    lines = wanted = 0
                out.append(text)
            elif not (lines or wanted):
                out.append(" ")
        layout = _LAYOUT.get(tag)
        if layout is None:
            continue
        if layout == _BR:
            lines += 1 if lines or not wanted else 2
        elif layout == _CELL:
            out.append(" ")
        else:
            wanted = layout if layout > wanted else wanted
            if tag in _MARKS:
                out.append("\n" * max(lines, wanted) + _MARKS[tag])
                lines = wanted = 0
    return "".join(out)


def _prefix_quotes(text: str) -> str:
    lines, depth, closed = [], 0, 0
    for line in text.split("\n"):
        content = line
        if _OPEN in line or _CLOSE in line:
            depth = min(50, depth + line.count(_OPEN))
            closed = line.count(_CLOSE)
            content = line.replace(_OPEN, "").replace(_CLOSE, "")
        content = content.strip()
        if not depth or content == ATTRIBUTION:
            lines.append(content)
        elif content:
            lines.append(f"{'>' * depth} {content}")
        if closed:
            depth, closed = max(0, depth - closed), 0
    return "\n".join(lines)


def _tidy(text: str) -> str:
    """One blank between words, none at the ends of lines, one empty line at most."""
    text = text.replace("\t", " ").replace("\xa0", " ")
    shown = text.replace("\n", " ").replace(ATTRIBUTION, " ")
    if shown.isprintable():  # no other kind of blank: far cheaper than word by word
        while "  " in text:
            text = text.replace("  ", " ")
        text = "\n".join(map(str.strip, text.split("\n")))
    else:
        text = "\n".join([" ".join(line.split()) for line in text.split("\n")])
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip("\n")


def _links_only(source: str) -> str:
    """A mail that shows only pictures or bare links: their descriptions and addresses."""
    return _tidy("\n".join(html.unescape(found) for found in _ALT_OR_LINK.findall(source)[:50]))
