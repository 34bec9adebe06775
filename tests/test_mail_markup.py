"""Plain text of HTML mail."""

from __future__ import annotations

import pytest

from normalizers import markup

SEEN = {
    "blocks are lines": ("<div>Bir</div><div>İki</div><div><br></div><div>Üç</div>", "Bir\nİki\n\nÜç"),
    "paragraphs keep a distance": ("<p>Bir</p><p>İki</p>", "Bir\n\nİki"),
    "line breaks": ("Bir<br>İki<br><br>Üç", "Bir\nİki\n\nÜç"),
    "cells are apart": ("<table><tr><td>Tutar</td><td>5 TL</td></tr><tr><td>a</td></tr></table>", "Tutar 5 TL\na"),
    "inline tags do not part words": ("Para<b>m</b> ge<span>l</span>medi", "Param gelmedi"),
    "entities": ("&Ccedil;ekim &amp; yat&#305;rma&nbsp;1", "Çekim & yatırma 1"),
    "an entity is decoded once": ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
    "source lines are blanks": ("<p>bir\n  iki\n</p>", "bir iki"),
    "pre keeps its lines": ("<pre>a\nb</pre>", "a\nb"),
    "hidden": ('<p>a</p><p style="display: none">b</p><p hidden>c</p><i style="font-size:0">d</i>', "a"),
    "small is not hidden": ('<i style="font-size:0.8em;opacity:0.9">d</i>', "d"),
    "no code": ("<style>a</style><script>b</script><template>c</template>d<!-- e -->", "d"),
    "quotes are marked": ("a<blockquote>b<blockquote>c</blockquote></blockquote>d", "a\n> b\n>> c\nd"),
    "lists": ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
    "only a picture and a link": ('<a href="https://x.example/d"><img src="a.png" alt="Dekont"></a>', "https://x.example/d\nDekont"),
    "bigger than and quotes in attributes": ("<p title=\"a>b\" x='\"'>z</p>", "z"),
    "broken off": ("<p>a<b>b<div", "ab"),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_the_text_is_what_a_reader_sees(name: str) -> None:
    """Lines, cells and quotes stand as they are drawn; what is not drawn is not there."""
    source, text = SEEN[name]
    assert markup.to_text(source) == text


@pytest.mark.parametrize("blank", [" ", "\t", "&nbsp;", "\u2009", "\u3000", " \u2009 "])
def test_words_stand_one_blank_apart(blank: str) -> None:
    """Whatever blank it is, runs of it are one, and none stands at the end of a line."""
    source = f"<p>a{blank * 3}b{blank}</p>{blank}<p>{blank}c</p><br><br><br>d"
    assert markup.to_text(source) == "a b\n\nc\n\nd"


@pytest.mark.parametrize(
    "tag", ["script", "style", "template", "iframe", "noembed", "noframes", "object", "canvas", "datalist"]
)
def test_what_no_reader_sees_is_left_out_wherever_it_stands(tag: str) -> None:
    """One such element among plain markup is enough."""
    assert markup.to_text(f"<p>a</p><div><{tag}>x</{tag}></div><p>b</p>") == "a\n\nb"


@pytest.mark.parametrize(
    "start",
    ['<div class="gmail_attr">x</div>', '<div id="appendonsend"></div>', '<div id="divRplyFwdMsg"></div>',
     '<div style="border:none;border-top:solid #E1E1E1 1.0pt"></div>'],
)  # fmt: skip
def test_markup_that_begins_a_quote_leaves_a_mark(start: str) -> None:
    """What Gmail and Outlook put before a quoted mail is found in any language."""
    assert markup.ATTRIBUTION in markup.to_text(f"<div>a</div>{start}<div>b</div>").split("\n")


def test_a_mark_cannot_be_smuggled_in() -> None:
    """The character we mark with is taken out of what a sender wrote."""
    assert markup.ATTRIBUTION not in markup.to_text(f"<p>a{markup.ATTRIBUTION}</p>")


def test_a_long_picture_in_an_attribute_is_not_absurd() -> None:
    """Pictures packed into the source are as long as a bomb and no bomb."""
    picture = "iVBORw0KGgo/" * 20_000
    assert not markup.is_absurd(f'<p>a<img src="data:image/png;base64,{picture}"></p>')


@pytest.mark.parametrize("before", ["", "a" * 10_000, "<p>" * 3 + "a" * 10_000, "<p>a" * 3_000])
@pytest.mark.parametrize("after", ["", "<p>" + "b" * 10_000])
def test_too_many_attributes_are_absurd_wherever_they_stand(before: str, after: str) -> None:
    """Neither long text nor many tags around them hide an element with 4,000 attributes."""
    assert markup.is_absurd(f"{before}<p {'x ' * 4_000}>c{after}", unchecked=100_000)
    assert not markup.is_absurd(f"{before}<p {'x ' * 2_000}>c{after}", unchecked=100_000)


def test_absurd_nesting_is_stripped_without_being_parsed() -> None:
    """Text survives 20,000 open elements, script does not."""
    assert markup.to_text("<script>x</script>" + "<div>" * 20_000 + "a &amp; b") == "a & b"
