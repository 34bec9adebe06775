"""What of a mail's parts is read as its text and what is kept as a file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from intake.attachments import describe
from intake.schema import Attachment
from intake.text import clean_text
from normalizers import markup, transfer
from normalizers.charsets import decode
from normalizers.mime import Part, text_of

TEXT_CHARACTERS = 1_000_000
HEAD_BYTES = 8_192

_STUB = re.compile(
    r"(?:not|n't) (?:support|display|show|render|read)\b.{0,40}html|html.{0,60}(?:destekle|goruntule|görüntüle)"
    r"|(?:view|read|see) (?:this|the) (?:e-?mail|message|newsletter).{0,40}(?:browser|html|online)"
    r"|requires? (?:an? )?html|html[- ](?:compatible|capable|enabled|only|format|e-?mail|message)"
    r"|html (?:biçim|format|uyumlu|içer)|taray[ıi]c[ıi].{0,40}(?:görüntüle|aç)|this is a multi-?part message",
    re.IGNORECASE | re.DOTALL,
)
_STUB_CHARACTERS = 400
_PICTURE_ONLY = re.compile(r"(?:\[(?:cid:|image:|inline)[^\]]{0,300}\]|<cid:[^>]{0,300}>|\s|\xa0)*")
_HTML_START = re.compile(r"\s*(?:<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])", re.IGNORECASE)
_ENRICHED = re.compile(r"<param>.*?</param>|</?[a-zA-Z][\w-]{0,60}>", re.IGNORECASE | re.DOTALL)
_PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"
_OTHER_RENDERINGS = frozenset({"text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext"})
_REPORT_KINDS = frozenset(
    {"text/rfc822-headers", "text/calendar", "text/x-vcard", "text/vcard", "text/csv", "text/directory"}
)


@dataclass(slots=True)
class Content:
    """What was read of a mail. `html` are the HTML parts as they came, `text` the plain text in order."""

    most_files: int
    most_bytes: int
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    files_left_out: int = 0

    @property
    def text(self) -> str:
        """All text in its order, with `markup.ATTRIBUTION` marks still in it."""
        return "\n\n".join(self.texts) if len(self.texts) != 1 else self.texts[0]


def read(root: Part, most_files: int, most_bytes: int) -> Content:
    """Collect text and files of a tree. Never raises."""
    content = Content(most_files, most_bytes)
    _walk(root, content, is_inline=False)
    if content.files_left_out:
        content.warnings.append(
            f"attachments: more than {most_files}, {content.files_left_out} were left out"
        )
    return content


def _walk(part: Part, content: Content, *, is_inline: bool) -> None:
    content.kinds.add(part.kind)
    if not part.children:
        _leaf(part, content, is_inline=is_inline)
    elif part.kind == "multipart/alternative":
        _alternative(part, content)
    elif part.kind == "multipart/related":
        _related(part, content)
    else:
        if part.kind == "multipart/encrypted":
            content.warnings.append("encrypted: the text cannot be read")
        for child in part.children:
            _walk(child, content, is_inline=False)


def _leaf(part: Part, content: Content, *, is_inline: bool) -> None:
    if _is_text(part, content):
        _take_text(part, content)
        return
    if part.kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        content.warnings.append("encrypted: the mail is sealed by S/MIME")
    _keep_file(part, content, is_inline=is_inline)


def _is_text(part: Part, content: Content) -> bool:
    if not part.kind.startswith("text/") or part.kind in _REPORT_KINDS or part.disposition == "attachment":
        return False
    if part.kind not in {"text/plain", "text/html", "text/enriched", "text/richtext"} and part.filename:
        return False
    return not part.filename or not (content.texts or content.attachments)


def _take_text(part: Part, content: Content) -> None:
    source = _plain_source(part, content)
    if part.kind == "text/html" or _HTML_START.match(source):
        content.htmls.append(clean_text(source, markup.LONGEST))
        source = markup.to_text(source)
    _add_text(source, content)


def _add_text(text: str, content: Content) -> None:
    room = TEXT_CHARACTERS - sum(map(len, content.texts))
    if len(text) > room:
        content.warnings.append("text: too long, cut")
    text = clean_text(text, room).strip("\n") if room > 0 else ""
    if text.strip():
        content.texts.append(text)


def _plain_source(part: Part, content: Content) -> str:
    """The decoded text of a part; files packed into it by uuencode are taken out."""
    text = text_of(part, content.warnings)
    if "\nbegin " in text or text.startswith("begin "):
        blocks, rest = transfer.uu_blocks(text.encode("utf-8", "surrogateescape"))
        for name, data in blocks:
            _keep(data, decode(name)[0], "", content)
        text = rest.decode("utf-8", "surrogateescape")
    if part.kind in {"text/enriched", "text/richtext"}:
        text = _ENRICHED.sub("", text)
    if _PGP_MESSAGE in text:
        content.warnings.append("encrypted: the text is sealed by PGP")
    if part.params.get("format", "").lower() == "flowed":
        return unflow(text, delete_space=part.params.get("delsp", "").lower() == "yes")
    return text


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Paragraphs of a format=flowed text (RFC 3676) put together again."""
    paragraphs: list[list[str]] = []
    open_depth = -1  # quote depth of a line that flows on, -1 if none does
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if flows and delete_space:
            content = content[:-1]
        if open_depth == depth and content != "-- ":
            paragraphs[-1].append(content)
        else:
            paragraphs.append([f"{'>' * depth} {content}" if depth else content])
        open_depth = depth if flows else -1
    return "\n".join(map("".join, paragraphs))


def _alternative(part: Part, content: Content) -> None:
    """The plain rendering, unless it is empty or says only that there is another; the HTML is kept beside."""
    plain = [child for child in part.children if child.kind == "text/plain" and _is_rendering(child)]
    rich = [child for child in part.children if _holds_html(child)]
    text = "\n\n".join(_plain_source(child, content) for child in plain)
    if _HTML_START.match(text):
        plain, rich, text = [], plain + rich, ""
    taken: list[Part] = [*plain]
    if rich and (not plain or _is_stub(text)):
        taken += rich
        for child in rich:
            _walk(child, content, is_inline=False)
    else:
        for child in rich:
            taken.append(child)
            _keep_html(child, content)
        _add_text(text, content)
    for child in part.children:
        if not any(child is other for other in taken) and not (taken and child.kind in _OTHER_RENDERINGS):
            _walk(child, content, is_inline=False)
        else:
            content.kinds.add(child.kind)


def _is_rendering(part: Part) -> bool:
    return part.disposition != "attachment"


def _holds_html(part: Part) -> bool:
    if part.kind == "text/html":
        return _is_rendering(part)
    return part.kind in {"multipart/related", "multipart/mixed"} and any(map(_holds_html, part.children))


def _is_stub(text: str) -> bool:
    if _PICTURE_ONLY.fullmatch(text[:5000]) and not text[5000:].strip():
        return True
    return len(text) <= _STUB_CHARACTERS and _STUB.search(text) is not None


def _keep_html(part: Part, content: Content) -> None:
    """The HTML of a rendering whose text is not used, and the files that came with it."""
    if part.kind == "text/html":
        content.htmls.append(clean_text(text_of(part, content.warnings), markup.LONGEST))
        return
    content.kinds.add(part.kind)
    for child in part.children:
        if _holds_html(child):
            _keep_html(child, content)
        elif part.kind == "multipart/related" or not _is_text(child, content):
            _walk(child, content, is_inline=part.kind == "multipart/related")
        else:
            _take_text(child, content)


def _related(part: Part, content: Content) -> None:
    """The root and what it shows. `start` names the root; without it the first part is it."""
    start = part.params.get("start", "").strip("<> ")
    root = next((child for child in part.children if start and child.content_id == start), part.children[0])
    _walk(root, content, is_inline=False)
    for child in part.children:
        if child is not root:
            _walk(child, content, is_inline=True)


def _keep_file(part: Part, content: Content, *, is_inline: bool) -> None:
    if len(content.attachments) >= content.most_files:
        content.files_left_out += 1
        return
    data = part.content(content.warnings)
    inline = part.disposition != "attachment" and (
        is_inline
        or part.disposition == "inline"
        or (part.content_id is not None and part.kind.startswith("image/"))
    )
    if is_inline and part.content_id is not None:
        inline = True
    _keep(data, part.filename, part.kind, content, part.content_id, inline=inline)


def _keep(
    data: bytes,
    filename: str,
    kind: str,
    content: Content,
    content_id: str | None = None,
    *,
    inline: bool = False,
) -> None:
    if len(content.attachments) >= content.most_files:
        content.files_left_out += 1
        return
    sha256 = hashlib.sha256(data).hexdigest()
    number = len(content.attachments)
    described = describe(
        filename, kind, data[:HEAD_BYTES], len(data), sha256, content_id=content_id, inline=inline
    )
    update: dict[str, str] = {"id": str(number)}
    if not described.original_filename.strip():
        stem, dot, ending = described.filename.rpartition(".")
        update["filename"] = f"{stem or ending}-{number + 1}{dot}{ending if dot else ''}"
    content.attachments.append(described.model_copy(update=update))
    if len(data) > content.most_bytes:
        content.warnings.append(
            f"attachments: {described.filename} is too large, {len(data)} bytes; not kept"
        )
    else:
        content.contents[sha256] = data
