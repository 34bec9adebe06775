"""Mail addresses as clients write them, read in one pass: names, comments, groups, routes, nonsense."""

from __future__ import annotations

import re

from intake.schema import Address
from intake.text import clean_line
from normalizers.headers import decode_words

MOST = 200

_SIMPLE = re.compile(
    r'(?:"([^"\\]*+)"[ \t]*+|([^"<>(),:;@\\\[\]]*+))<([^\s<>@",;:()]{1,128}@[^\s<>@",;:()]{1,255})>'
)
_BARE = re.compile(r"[^\s<>@\",;:()\\\[\]]{1,128}@[^\s<>@\",;:()\\]{1,255}")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_PLAIN_RUN = re.compile(r'(?:[^"(<,;:=]++|=(?!\?))+')
_ENCODED_WORD = re.compile(r"=\?[^?\s=]{1,80}\?[BbQq]\?[^?]{0,500}\?=")
_FOUND = re.compile(r'(?:"[^"]{1,64}"|[^\s<>@",;:()\[\]]{1,128})@[^\s<>@",;:()\[\]]{1,255}')
_VALID = re.compile(r'(?:"[^"\r\n]{1,64}"|[^\s<>@",;:()\\]{1,128})@[^\s<>@",;:()\\]{1,255}')
_COMMENT_DEPTH = 20


def read(value: str, most: int = MOST) -> list[Address]:
    """The addresses of one header value, in order, at most `most`.

    What stands in angle brackets is the address, whatever the name before it looks like
    (CVE-2023-27043). Encoded words are decoded after the header is taken apart, so that none can smuggle in
    a comma or a bracket. An entry without an address keeps its text as the name.
    """
    if simple := _SIMPLE.fullmatch(value):
        return [_address(simple[1] if simple[1] is not None else simple[2], simple[3])]
    if _BARE.fullmatch(value):
        return [_address("", value)]
    found = _Reader(value, most).entries()
    if "=?" in value and not any("@" in entry.address for entry in found):
        decoded = clean_line(decode_words(value), 65_536)
        if "@" in decoded and "=?" not in decoded:
            return _Reader(decoded, most).entries()
    return found


def canonical(address: str) -> str:
    """The folded form two spellings of one mailbox share: lower case, domain in ASCII; "" if it is none."""
    if not _VALID.fullmatch(address) or len(address) > 254:
        return ""
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    domain = domain.lower().strip(".")
    return f"{local.lower()}@{domain}" if domain else ""


def domain_of(address: str) -> str:
    """The canonical domain of an address, "" where there is none."""
    return canonical(address).rpartition("@")[2]


def _address(name: str, address: str) -> Address:
    local, at, domain = address.rpartition("@")
    if at:
        address = f"{local}@{domain.replace('İ', 'i').lower().rstrip('.')}"
    if "=?" in name:
        name = decode_words(name)
    return Address(name=clean_line(name, 500).strip("\"' "), address=clean_line(address, 320))


class _Reader:
    """One pass over a header value; what does not close (quote, bracket, comment) is read as plain text."""

    def __init__(self, value: str, most: int) -> None:
        self.value, self.most = value, most
        self.found: list[Address] = []
        self.words: list[str] = []
        self.comments: list[str] = []
        self.angles: list[str] = []
        self.closes = dict.fromkeys('"(<', True)

    def entries(self) -> list[Address]:
        position, length = 0, len(self.value)
        while position < length and len(self.found) < self.most:
            position = self._step(position)
        self._flush()
        return self.found[: self.most]

    def _step(self, at: int) -> int:
        char = self.value[at]
        if char in ",;":
            self._flush()
            return at + 1
        if char == ":":
            return self._colon(at)
        if char in self.closes:
            end = self._closed(char, at) if self.closes[char] else -1
            if end > 0:
                return end
            self.closes[char] = False
            if char == "<":
                return self._open_angle(at)
            self.words.append(char if char == "(" else " ")
            return at + 1
        match = _PLAIN_RUN.match(self.value, at) or _ENCODED_WORD.match(self.value, at)
        end = match.end() if match else at + 1
        self.words.append(self.value[at:end])
        return end

    def _colon(self, at: int) -> int:
        text = "".join(self.words).strip()
        if text.lower().endswith("mailto") or "@" in text or self.angles:
            self.words.append(" ")
        else:
            self.words.clear()  # the name of a group
            self.comments.clear()
        return at + 1

    def _closed(self, char: str, at: int) -> int:
        """Take the quoted string, comment or bracket that starts here; its end, or -1 if it never closes."""
        if char == '"':
            match = _QUOTED.match(self.value, at)
            if not match:
                return -1
            is_local_part = self.value.startswith("@", match.end())
            self.words.append(match[0] if is_local_part else re.sub(r"\\(.)", r"\1", match[0][1:-1]))
            return match.end()
        if char == "<":
            end = self.value.find(">", at)
            if end < 0:
                return -1
            self.angles.append(self.value[at + 1 : end])
            return end + 1
        return self._comment(at)

    def _comment(self, at: int) -> int:
        depth, position = 0, at
        for match in re.finditer(r"[()]", self.value[at : at + 2000]):
            depth += 1 if match[0] == "(" else -1
            position = at + match.end()
            if depth == 0:
                self.comments.append(self.value[at + 1 : position - 1])
                return position
            if depth > _COMMENT_DEPTH:
                return -1
        return -1

    def _open_angle(self, at: int) -> int:
        end = min((p for c in ",;" if (p := self.value.find(c, at)) > 0), default=len(self.value))
        self.angles.append(self.value[at + 1 : end])
        return end

    def _flush(self) -> None:
        text = " ".join("".join(self.words).split())
        angles = [cleaned for angle in self.angles if (cleaned := _clean_angle(angle))]
        name = text or next((c.strip() for c in self.comments if c.strip()), "")
        if angles:
            for angle in angles:
                self.found.append(_address(name, angle))
        elif bare := _FOUND.findall(text):
            rest = _FOUND.sub(" ", text).strip(" []<>") if len(bare) == 1 else ""
            rest = rest or next((c.strip() for c in self.comments if c.strip()), "")
            self.found += [_address(re.sub(r"\bmailto\b", "", rest, flags=re.I), address) for address in bare]
        elif name or self.angles:
            self.found.append(_address(name, ""))
        self.words, self.comments, self.angles = [], [], []


def _clean_angle(angle: str) -> str:
    """The address in angle brackets without route, comment and blanks; "" where there is none."""
    angle = re.sub(r"\([^()]*\)", "", angle) if "(" in angle else angle
    angle = angle.strip().removeprefix("mailto:").strip()
    if angle.startswith("@") and ":" in angle:
        angle = angle.rpartition(":")[2]
    if _VALID.fullmatch(angle):
        return angle
    squeezed = re.sub(r"\s", "", angle)
    if _VALID.fullmatch(squeezed):
        return squeezed
    return found[0] if len(found := _FOUND.findall(angle)) == 1 else ""
