"""Cuts what the customer wrote now from what was quoted, signed or appended. Splits, never deletes."""

from __future__ import annotations

import re

import re2

from normalizers.markup import ATTRIBUTION

MOST_LINES = 20_000
"""Lines looked at; what follows them goes where the last of them went."""

_LONGEST_LINE = 600
_SPAN = 4  # lines a client may wrap an attribution into
_HEADER_LINES = 9  # lines in which a quoted header block shows itself
_FOLD = str.maketrans(
    "ıİğĞşŞçÇöÖüÜâÂîÎûÛéèêíáóúñäëïÉ’‘´`“”\xa0",
    "iiggssccoouuaaiiuueeeiaounaeie''''\"\" ",
    "\u200b\u200e\u200f\ufeff",
)

# Cheap signs that there may be anything to cut; most first messages have none
_SIGNS = (
    "\n>", "---", "___", "\n--", "\n—", ATTRIBUTION, "wrote", "yazd", "gönderildi", "gonderildi", "kimden",
    "gönderen", "gonderen", "from:", "from*", "sent from", "get outlook", "edinin", "schrieb", "écrit", "von:",
    "escribió", "ha scritto", "forwarded", "iletilen", "ilet", "yasal uyar", "gizlilik", "confidential", "disclaimer",
    "gizlidir", "e-posta ve ek", "kişiye özel", "yahoo", "cihazımdan", "telefonumdan", "envoyé", "gesendet",
    "\n==", "privileged", "intended", "çevre",
)  # fmt: skip

_SIGN = re2.compile("(?i)" + "|".join(map(re2.escape, _SIGNS)))

_WROTE_END = re.compile(
    r"(?:(?:sunu|sunlari|soyle|asagidakileri|mesaj)\s+yazdi(?:niz|lar)?|\byazdi|\bwrote|\bwrites|\ba ecrit|\bescribio"
    r"|\bha scritto|\bschrieb\b[^:]{0,200}|\bschreef\b[^:]{0,200})\s*(?:\([^()]{4,60}\))?\s*:\s*$"
)
_NAMES_A_MOMENT = re.compile(
    r"[\w.+-]{1,64}@[\w.-]{1,253}|\b(?:19|20)\d\d\b|\d{1,2}[:.]\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
_MOMENT = re.compile(r"\b(?:19|20)\d\d\b|\d{1,2}[:.]\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_WRITER = re.compile(r"[<(][^<>()\s]{1,64}@[^<>()\s]{1,253}[>)][^<>]{0,40}:\s*$")
_SURE_ATTRIBUTION = re.compile(r"@|tarihinde|saatinde|^\W*(?:on|am|le|el|il|op)\s|\(\d|, \d{1,2}:\d\d")
_ATTRIBUTION_START = re.compile(
    r"(?:on|am|le|el|il|op|den)\s|\d{1,2}[ ./-]|\d{4}-\d\d|(?:pzt|sal|car|per|cum|cmt|paz|mon|tue|wed|thu|fri|sat|sun)"
    r"[a-z]{0,7},?\s|.{0,80}<[^<>\s]{1,254}@"
)
_SEPARATOR = re.compile(
    r"[\s>*]*(?:[-_=]{2,20}\s*)?(?:original message|original appointment|ozgun ileti|ozgun mesaj|orijinal mesaj"
    r"|orijinal ileti|asil mesaj|iletilen ileti|iletilen mesaj|iletilmis ileti|forwarded message"
    r"|yonlendirilen ileti|baslangic iletisi"
    r"|yonlendirilmis ileti|yonlendirilen mesaj|ursprungliche nachricht|message d'origine|message original"
    r"|weitergeleitete nachricht|message transfere|mensaje original|mensaje reenviado|reply message"
    r"|(?:begin )?forwarded message|iletilen ileti baslangici|yonlendirilen iletinin baslangici)"
    r"(?:\s*[-_=]{2,20}|\s*:)[\s*]*$"
)
_FORWARDS = re.compile(r"forward|ilet[ie]n|iletilmis|baslangic|yonlendir|weitergeleitet|transfere|reenviado")
_HEADER = re.compile(
    r"[\s>*_]*(kimden|gonderen|from|von|de|da|gonderildi|gonderme tarihi|gonderilme tarihi|gonderim tarihi|tarih|sent"
    r"|date|gesendet|datum|envoye|enviado el|fecha|kime|alici|to|an|a|para|bilgi|cc|kopya|konu|subject|betreff|objet"
    r"|asunto)[*_]*\s?:[*_]*(?:\s|$|\S+@)"
)
_FROM = frozenset({"kimden", "gonderen", "from", "von", "de", "da"})
_WHEN = frozenset(
    {
        "gonderildi", "gonderme tarihi", "gonderilme tarihi", "gonderim tarihi", "tarih", "sent", "date",
        "gesendet", "datum", "envoye", "enviado el", "fecha",
    }
)  # fmt: skip
# words that a bank slip does not use
_MAIL_WORDS = frozenset(
    {"kimden", "kime", "from", "sent", "subject", "gonderildi", "gonderme tarihi", "gonderilme tarihi", "von"}
    | {"gonderim tarihi", "gesendet", "envoye", "betreff", "objet", "asunto", "enviado el"}
)
_SUBJECT = frozenset({"konu", "subject", "betreff", "objet", "asunto"})
_WHOM = frozenset({"kime", "alici", "to", "an", "a", "para"})
_RULE = re.compile(r"\s*(?:[_=*-]{5,}|[-_=]{2,})\s*$")
_SIGNATURE = re.compile(r"\s*(?:--|—|––)\s*$")
_SIGNATURE_LINES = 15
_MOBILE = re.compile(
    r"[\s*>(]*(?:"
    r"i(?:phone|pad)(?:'?(?:umdan|imden|dan|den|im'?den))? gonderildi"
    r"|sent from (?:my|a|an|the)? ?[\w' .+-]{2,60}|sent (?:via|with|using) [\w' .+-]{2,60}"
    r"|get outlook for \w{2,10}.{0,80}"
    r"|(?:samsung|galaxy|huawei|xiaomi|redmi|android|mobil|windows|vodafone|turkcell|telefonum|cihazim|akilli)"
    r"[\w' .+-]{0,60}(?:gonderildi|gonderilmistir)"
    r"|(?:android|ios|iphone|windows|mac)(?: icin)? ?(?:telefonumdan )?outlook'?u? ?"
    r"(?:edinin|indirin|uygulamasini edinin).{0,80}"
    r"|(?:android|ios) icin outlook'?u edinin.{0,80}|(?:ios|android)'?(?:de|da) yahoo.{0,60}"
    r"|yahoo (?:mail|e-?posta)[^\n]{0,80}(?:gonderildi|organize|edinin)?|sent from yahoo.{0,60}"
    r"|windows icin posta ile gonderildi|outlook(?:'tan| mobile'dan)? gonderildi"
    r"|von meinem [\w -]{2,40} gesendet|envoye de(?:puis)? mon [\w -]{2,40}"
    r"|bu e-?posta.{0,40}virus.{0,60}|virus-free\..{0,60}"
    r")[\s.*)>]*(?:<https?://[^\s>]*>)?\s*$"
)
_DISCLAIMER = re.compile(
    r"[\s*_-]*(?:yasal uyari|uyari notu|gizlilik notu|gizlilik uyarisi|disclaimer|confidentiality notice|legal notice"
    r"|bu e-?posta(?: mesaji)?(?:,? ?ve|nin|da| mesajinin| iletisi)? ?.{0,40}(?:ek|gizli|kisiye|gonder)"
    r"|bu (?:elektronik posta|mesaj|ileti)(?:,? ve)? .{0,60}(?:gizli|kisiye ozel|ekleri|yalnizca)"
    r"|this e-?mail(?: message)?(?: and|,| is| may| contains| \(including).{0,80}"
    r"(?:attach|confidential|privileged|intended)"
    r"|this message (?:and|is|may|contains).{0,60}(?:attach|confiden|privileg|intended)"
    r"|the information (?:contained )?in this (?:e-?mail|message)|lutfen cevreyi dusun|lutfen bu e-?postayi yazdirmadan"
    r"|cevreye duyarli|please consider the environment|think before you print)"
)
_DISCLAIMER_LINES = 40


def cut(text: str, *, is_reply: bool = False) -> tuple[str, str]:
    """(fresh, quoted). Every line of `text` that is not blank is in exactly one of them, in its order.

    With `is_reply` a mail in which nothing new was written gives an empty fresh part; otherwise (a forwarded
    mail, a first message) the quoted part is then the text. Takes linear time.
    """
    if not _may_hold_quotes(text):
        return text.strip(), ""
    lines = text.split("\n")
    cutter = _Cutter(lines, is_reply)
    is_fresh = cutter.run()
    fresh = [line for line, keep in zip(lines, is_fresh, strict=True) if keep and line != ATTRIBUTION]
    quoted = [line for line, keep in zip(lines, is_fresh, strict=True) if not keep and line != ATTRIBUTION]
    return _tidy(fresh), _tidy(quoted)


def without_marks(text: str) -> str:
    """The text without the marks `markup.to_text` put in."""
    if ATTRIBUTION not in text:
        return text
    kept = "\n".join(line for line in text.split("\n") if line != ATTRIBUTION)
    return kept.replace(ATTRIBUTION, "")


def _may_hold_quotes(text: str) -> bool:
    return text.startswith(">") or _SIGN.search(text.encode("utf-8", "replace")) is not None


def _tidy(lines: list[str]) -> str:
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return text.replace(ATTRIBUTION, "") if ATTRIBUTION in text else text


def _fold(line: str) -> str:
    return line[:_LONGEST_LINE].translate(_FOLD).lower().strip()


class _Cutter:
    """The lines of one text and whether each is fresh."""

    def __init__(self, lines: list[str], is_reply: bool) -> None:
        self.lines = lines
        self.folded = [_fold(line) for line in lines[:MOST_LINES]]
        self.count = len(self.folded)
        self.fresh = [True] * len(lines)
        self.is_reply = is_reply

    def run(self) -> list[bool]:
        start, after, by_markup = self._first_quote()
        forwards = start < self.count and any(
            _SEPARATOR.match(line) and _FORWARDS.search(line) for line in self.folded[start : start + 4]
        )
        if start == self.count:
            self._cut_bare_block()
        elif after < 0 or not self._keep_answers(start, after, by_markup):
            self._quote(self._with_rules_above(start), len(self.lines))
        self._cut_tails()
        is_empty = not any(self._is_text(i) for i in range(self.count))
        if is_empty and (forwards or after < 0 or not self.is_reply):
            self._give_back(start)
        return self.fresh

    def _first_quote(self) -> tuple[int, int, bool]:
        """(first line of the earliest quote, first line after its attribution or -1 for a whole mail, marked)."""
        for i, line in enumerate(self.folded):
            if not line:
                continue
            if line == ATTRIBUTION:
                return self._marked(i)
            if _SEPARATOR.match(line) or self._is_header_block(i):
                return i, -1, False
            if line.endswith(":") and (begin := self._attribution_begin(i)) >= 0:
                return begin, i + 1, False
        return self.count, -1, False

    def _marked(self, i: int) -> tuple[int, int, bool]:
        """Where a quote begins that the markup announced, with its attribution lines if they show."""
        for j in range(i + 1, min(i + 1 + 2 * _SPAN, self.count)):
            line = self.folded[j]
            if _SEPARATOR.match(line) or self._is_header_block(j):
                return i, -1, True
            if line.startswith(">") or (line.endswith(":") and _WROTE_END.search(line)):
                return i, j if line.startswith(">") else j + 1, True
        return i, i + 1, True

    def _attribution_begin(self, end: int) -> int:
        """The first line of the attribution that ends here; -1 if it is none."""
        lowest = max(0, end - _SPAN + 1)
        begin = end
        joined = self.folded[end]
        while not _WROTE_END.search(joined) and not self._names_writer(joined, end):
            if begin == lowest or not self.folded[begin - 1]:
                return -1
            begin -= 1
            joined = f"{self.folded[begin]} {joined}"
        above = self.folded[begin - 1] if begin > lowest else ""
        if not self._is_quoted_below(end) and not _SURE_ATTRIBUTION.search(f"{above} {joined}"):
            return -1
        while not _NAMES_A_MOMENT.search(self.folded[begin]):
            if begin == lowest or not self.folded[begin - 1]:
                return -1
            begin -= 1
        while begin > lowest and self.folded[begin - 1]:
            above = self.folded[begin - 1]
            if _ATTRIBUTION_START.match(self.folded[begin]) and not self.folded[begin].startswith("<"):
                break
            if above.endswith((".", "!", "?")) or not (
                _ATTRIBUTION_START.match(above) or _NAMES_A_MOMENT.search(above)
            ):
                break
            begin -= 1
        return begin

    def _names_writer(self, line: str, end: int) -> bool:
        """An attribution in a language we do not read: an address, a moment, a colon, then the quote."""
        return bool(_WRITER.search(line)) and bool(_MOMENT.search(line)) and self._is_quoted_below(end)

    def _is_quoted_below(self, end: int) -> bool:
        below = next((line for line in self.folded[end + 1 : end + 4] if line), "")
        return below.startswith(">")

    def _is_header_block(self, i: int) -> bool:
        match = _HEADER.match(self.folded[i])
        if not match or match[1] not in _FROM | _WHEN:
            return False
        names, has_address = set(), False
        for line in self.folded[i : i + _HEADER_LINES]:
            found = _HEADER.match(line)
            if found:
                names.add(found[1])
                has_address = has_address or "@" in line
        has_from, has_when = not names.isdisjoint(_FROM), not names.isdisjoint(_WHEN)
        has_subject, has_whom = not names.isdisjoint(_SUBJECT), not names.isdisjoint(_WHOM)
        # the slip of a bank transfer also names a sender, a receiver and a date
        if not has_address and names.isdisjoint(_MAIL_WORDS):
            return False
        return has_from and ((has_when and (has_subject or has_address)) or (has_subject and has_whom))

    def _with_rules_above(self, start: int) -> int:
        while start and (not self.folded[start - 1] or _RULE.match(self.folded[start - 1])):
            start -= 1
        return start

    def _keep_answers(self, start: int, after: int, by_markup: bool) -> bool:
        """Answers below or between quoted lines stay. True if this decided what is quoted."""
        quoted = [i for i in range(after, self.count) if self.folded[i].startswith(">")]
        if not quoted:
            return False
        answers = self._answers(quoted[0])
        if not answers:
            return False
        stray = [i for i in range(after, quoted[0]) if self.folded[i]]
        if by_markup and len(stray) > _SPAN:
            return False
        wrote_above = any(self._is_text(i) for i in range(start))
        if not wrote_above and not any(i > answers[0] for i in quoted):
            self._quote(start, answers[0])
        return True

    def _answers(self, first: int) -> list[int]:
        """Lines of the customer's own below the first quoted line; a wrapped quoted line is none."""
        own = []
        last_own = self._signature_start(self.count)
        for i in range(first, last_own):
            line = self.folded[i]
            if not line or line.startswith(">") or line == ATTRIBUTION or _MOBILE.match(line):
                continue
            is_wrapped = (
                self.folded[i - 1].startswith(">")
                and len(self.lines[i - 1]) >= 60
                and i + 1 < self.count
                and (self.folded[i + 1].startswith(">"))
            )
            if _DISCLAIMER.match(line):
                break
            if not is_wrapped:
                own.append(i)
        return own

    def _cut_bare_block(self) -> None:
        """Quoted lines without an attribution, at one end of the text only."""
        marked = [i for i, line in enumerate(self.folded) if line.startswith(">")]
        if not marked:
            return
        block_end = marked[0]
        while block_end < self.count and (
            self.folded[block_end].startswith(">") or not self.folded[block_end]
        ):
            block_end += 1
        one_block = marked[-1] < block_end
        text_above = any(self._is_text(i) for i in range(marked[0]))
        text_below = any(
            self._is_text(i) and not _MOBILE.match(self.folded[i]) and not _SIGNATURE.match(self.folded[i])
            for i in range(block_end, self.count)
        )
        if one_block and not (text_above and text_below):
            self._quote(marked[0], block_end)

    def _cut_tails(self) -> None:
        """Signatures and disclaimers below the last words that were written."""
        for _ in range(6):
            end = self._fresh_end()
            start = self._tail_start(end)
            if start >= end or not any(self._is_text(i) for i in range(start)):
                if start < end and _MOBILE.match(self.folded[end - 1]):
                    self._quote(start, end)
                return
            self._quote(start, end)

    def _fresh_end(self) -> int:
        end = self.count
        while end and not (self.fresh[end - 1] and self._is_text(end - 1)):
            end -= 1
        return end

    def _tail_start(self, end: int) -> int:
        if not end:
            return end
        if _MOBILE.match(self.folded[end - 1]) or _RULE.match(self.folded[end - 1]):
            return end - 1
        signature = self._signature_start(end)
        if signature < end:
            return signature
        lowest = max(0, end - _DISCLAIMER_LINES)
        for i in range(lowest, end):
            if _DISCLAIMER.match(self.folded[i]) and (i == 0 or self._starts_paragraph(i)):
                is_long = sum(len(line) for line in self.folded[i:end]) >= 60
                return i if is_long else end
        return end

    def _starts_paragraph(self, i: int) -> bool:
        above = self.folded[i - 1]
        return (
            not above or not self.fresh[i - 1] or bool(_RULE.match(above)) or above.endswith((".", "!", ":"))
        )

    def _signature_start(self, end: int) -> int:
        for i in range(max(0, end - _SIGNATURE_LINES - 1), end):
            if _SIGNATURE.match(self.folded[i]) and self.fresh[i] and i + 1 < end:
                return i
        return end

    def _give_back(self, start: int) -> None:
        """Nothing was written above: what was quoted is what the customer wants read."""
        begin = start if start < self.count else 0
        for i in range(begin, len(self.lines)):
            self.fresh[i] = True
        if not any(self._is_text(i) for i in range(self.count)):
            self.fresh = [True] * len(self.lines)

    def _is_text(self, i: int) -> bool:
        line = self.folded[i]
        return self.fresh[i] and bool(line) and line != ATTRIBUTION

    def _quote(self, start: int, end: int) -> None:
        for i in range(start, end):
            self.fresh[i] = False
