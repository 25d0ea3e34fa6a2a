"""Addresses as people paste them come out as they are; what else comes back from one is told by its kind."""

import codecs
import io
import json
import zipfile
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from emotion.errors import FetchError, WebPageError
from emotion.faces.fetch import LOOPBACK_SWITCH, MAX_ADDRESS_CHARS, Answer
from emotion.faces.files.kinds import NotAPictureError
from emotion.page import addresses as module
from emotion.page.addresses import fetch_picture, read_pasted, web_addresses
from tests.loopback import LoopbackServer, http_answer, redirect_to, serving

A = "http://127.0.0.1:8080/face.jpg"
B = "https://example.org/b.png"
C = "https://example.org/photos/123"

ONE = [
    '"{}"',
    "'{}'",
    "`{}`",
    "“{}”",
    "„{}“",
    "‘{}’",
    "‚{}‘",
    "«{}»",
    "« {} »",
    "»{}«",
    "‹{}›",
    "「{}」",
    "<{}>",
    "< {} >",
    "<{}|me>",  # as chats write links
    "({})",
    "(see {})",
    "[{}]",
    "{{{}}}",
    "![me]({})",
    "[me]({})",
    '[me]({} "A title")',
    "[me]: {}",
    "**{}**",
    "*{}*",
    "_{}_",
    "~~{}~~",
    '<img src="{}">',
    "<img src='{}' alt='me, myself'>",
    "<img alt=x src={} width=300>",
    '<img srcset="{} 2x">',
    '<img src="{0}" srcset="{0} 480w, {0} 800w" />',
    '<a href="{0}">{0}</a>',
    '<p class="x">{}</p>',
    "[img]{}[/img]",
    "[IMG]{}[/IMG]",
    "[url={}]me[/url]",
    "[url]{}[/url]",
    "url('{}')",
    'url("{}")',
    "url({})",
    '{{"url": "{}", "width": 300}}',
    '["{}"]',
    "&lt;img src=&quot;{}&quot;&gt;",
    "[{} me]",
    "[[{}][me]]",
    "`me <{}>`_",
    "[me](<{}>)",
    r"\url{{{}}}",
    ".. image:: {}",
    "👉{}",
    "- {}",
    "* {}",
    "• {}",
    "– {}",
    "+ {}",
    "1. {}",
    "12) {}",
    "> {}",
    "- [me]({})",
    "1. “{}”",
    "{}.",
    "{},",
    "{};",
    "{}!",
    "{}:",
    "{}…",
    "{}。",
    "{} (me)",
    "{} [me]",
    "{} - me",
    "{} – me, last year",
    "{} | me",
    "{} # me",
    "{} // me",
    "Photo: {}",
    "Photo:{}",
    "Look at {}, please.",
    "curl -O {}",
    "看{}。",
    "view-source:{}",
    "  {}\t",
    "\u00a0{}\u00a0",
    "\u200b{}\ufeff",
    "\u2068{}\u2069",
    "|{}|",
    "{0}, {0}",
    "{0}\n{0}",
    "{}\n\nMy picture from last year",
]


@pytest.mark.parametrize("address", [A, B, C, f"{B}?w=1,2&h=3;4", "https://example.org/wiki/Face_(1).jpg"])
@pytest.mark.parametrize("pasted", ONE)
def test_what_stands_around_an_address_goes(pasted: str, address: str) -> None:
    assert read_pasted(pasted.format(address)) == ([address], [])


@pytest.mark.parametrize(
    "pasted",
    [
        "{0}\n{1}",
        "{0}\r\n\r\n{1}\r\n",
        "{0} {1}",
        "{0}, {1}",
        "{0},{1}",
        "{0};{1}",
        "{0} ; {1}",
        "{0}|{1}",
        "{0} | {1}",
        "{0}，{1}。",
        "{0}、{1}",
        "{0}\t{1}",
        "{0} and {1}",
        "See {0}, and {1}.",
        '"{0}","{1}"',
        "'{0}' '{1}'",
        "<{0}> <{1}>",
        "<{0}>,<{1}>",
        "{0} (me) {1} (you)",
        "({0}) ({1})",
        "![me]({0}) ![you]({1})",
        "[![me]({0})]({1})",
        '<img src="{0}"><img src="{1}">',
        '<a href="{0}"><img src="{1}"></a>',
        '<img srcset="{0} 1x, {1} 2x">',
        '<img srcset="{0} 480w,{1} 800w">',
        '<img\n  src="{0}"\n  srcset="{0} 1x,\n    {1} 2x"\n  alt="me">',
        "[img]{0}[/img][img]{1}[/img]",
        "- {0}\n- {1}",
        "1. {0}\n2. {1}\n3. {0}",
        "Mine: {0} Yours: {1}",
        '["{0}", "{1}"]',
        "{0} {1} {0} {1}",
    ],
)
@pytest.mark.parametrize("first", [A, C, f"{B}?w=1,2"])
def test_several_addresses_come_out_in_their_order_each_once(pasted: str, first: str) -> None:
    second = "https://example.com/c_(2).png"
    assert read_pasted(pasted.format(first, second)) == ([first, second], [])


@pytest.mark.parametrize(
    "address",
    [
        "https://en.wikipedia.org/wiki/Face_(anatomy)",
        "https://upload.wikimedia.org/a/b/Face_(1)_(cropped).jpg",
        "https://example.org/?w=1,2",
        "https://example.org/w_100,h_100,c_fill/face.jpg",
        "https://example.org/p;jsessionid=3?x=1;y=2",
        "https://example.org/my picture.png",
        "https://example.org/my picture (1).png",
        "https://example.org/my picture, cut.png?x=1",
        "https://example.org/prompt/a smiling face",
        "https://example.org/it's me.jpg",
        "https://example.org/a[1].jpg",
        "https://example.org/{id}/a.jpg",
        "https://web.archive.org/web/2020/https://example.org/b.png",
        "https://proxy.example.org/?url=https://example.org/b.png&w=3",
        "https://proxy.example.org/?url=www.example.org/b.png",
        "https://example.org/photo.jpg:large",
        "https://example.org/@me/1",
        "https://example.org/a_.jpg",
        "https://bücher.example.org/gesicht-ä.jpg",
        "https://[2606:4700::1111]/a.png",
        "HTTPS://EXAMPLE.ORG/A.PNG",
        "http://user:password@example.org/a.jpg",  # to be refused as it is
        "http://",
    ],
)
def test_what_belongs_to_an_address_stays(address: str) -> None:
    assert read_pasted(address) == ([address], [])
    assert web_addresses(address) == [address]


@pytest.mark.parametrize(
    ("pasted", "addresses"),
    [
        ("example.org/me.jpg", ["https://example.org/me.jpg"]),
        ("example.org", ["https://example.org"]),
        ("example.org?x=1", ["https://example.org?x=1"]),
        ("www.example.org", ["https://www.example.org"]),
        ("www.example.org/me", ["https://www.example.org/me"]),
        ("//example.org/me.jpg", ["https://example.org/me.jpg"]),
        ("example.org:8080/me.jpg", ["https://example.org:8080/me.jpg"]),
        ("example.org/my picture.jpg", ["https://example.org/my picture.jpg"]),
        ("bücher.example/me.jpg", ["https://bücher.example/me.jpg"]),
        ("192.168.0.5/me.jpg", ["https://192.168.0.5/me.jpg"]),
        ("- example.org/me.jpg (me)", ["https://example.org/me.jpg"]),
        ('"example.org/me.jpg"', ["https://example.org/me.jpg"]),
        ("![me](example.org/me.jpg)", ["https://example.org/me.jpg"]),
        ("example.org/a.jpg, www.example.org/b.jpg", ["https://example.org/a.jpg", "https://www.example.org/b.jpg"]),
        (f"{A}, example.org/a.jpg", [A, "https://example.org/a.jpg"]),
        (f"{A},example.org/a.jpg", [A, "https://example.org/a.jpg"]),
        ("https://https://example.org/a.jpg", ["https://example.org/a.jpg"]),
        ("https://example.org/?x=1&amp;y=2", ["https://example.org/?x=1&y=2"]),
        ("ftp://example.org/me.jpg", ["ftp://example.org/me.jpg"]),  # to be refused as any address is
    ],
)
def test_an_address_is_completed(pasted: str, addresses: list[str]) -> None:
    assert read_pasted(pasted) == (addresses, [])


OF_THIS_COMPUTER = [
    r"C:\Users\me\me.jpg",
    r"C:\Users\me\My Pictures\me (1).jpg",
    "C:/Users/me/me.jpg",
    "/home/me/me.jpg",
    "/Users/me/example.org/me.jpg",
    "~/me.jpg",
    "./me.jpg",
    r"..\me.jpg",
    "file:///home/me/me.jpg",
    "file:///C:/Users/me/me.jpg",
    r"\\server\share\me.jpg",
    "content://media/external/1",
    "me.jpg",
    "IMG_0001.HEIC",
    "my face.png",
    "Pictures/me.jpg",
    r"Pictures\me.jpg",
    "film.mp4",
    "notes.txt",
]


@pytest.mark.parametrize("decoration", ["{}", '"{}"', "'{}'", "- {}", "1. {}", "{},", "<{}>"])
@pytest.mark.parametrize("path", OF_THIS_COMPUTER)
def test_a_path_of_this_computer_is_to_be_chosen_as_a_file(path: str, decoration: str) -> None:
    told = f"{path} is a file of your computer, not a web address: choose it as a file below."
    assert read_pasted(decoration.format(path)) == ([], [told])
    assert web_addresses(path) == []


def test_paths_and_addresses_may_be_mixed() -> None:
    pasted = read_pasted(f"{A}, C:\\me.jpg\nC:\\me.jpg, /home/me/you.jpg\n{B}")
    assert pasted.addresses == [A, B]
    assert [told.partition(" is a file")[0] for told in pasted.problems] == ["C:\\me.jpg", "/home/me/you.jpg"]


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("nonsense", "There is no web address in nonsense: paste one like https://example.org/picture.jpg."),
        ("a picture of me\nand you", "There is no web address in a picture of me and you: paste one like"),
        ("me@example.org", "There is no web address in me@example.org: paste one"),
        ("x" * 100, f"There is no web address in {'x' * 80}…: paste one"),
        ("blob:https://example.org/6b5b", "blob:https://example.org/6b5b can be opened by the browser alone that it"),
        ("chrome-extension://abc/me.png", "can be opened by the browser alone"),
        ("moz-extension://abc/me.png", "can be opened by the browser alone"),
        ("about:blank", "can be opened by the browser alone"),
        ("cid:image001.png@01D9", "can be opened by the browser alone"),
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/... is a picture written as a text: save it as a file"),
        ('<img src="data:image/png;base64,iVBORw0KGgo=">', "data:image/... is a picture written as a text"),
        ("data:image/png;base64,\n" + ("A1/+" * 19 + "\n") * 5 + "A1==", "data:image/... is a picture written as a"),
    ],
)
def test_a_text_without_an_address_has_a_sentence_of_its_own(pasted: str, told: str) -> None:
    addresses, [problem] = read_pasted(pasted)
    assert not addresses
    assert told in problem


def test_one_mistyped_address_among_others_is_not_passed_over() -> None:
    told = "There is no web address in htp:/example.org/x: paste one like https://example.org/picture.jpg."
    assert read_pasted(f"My pictures:\n{A}\nhtp:/example.org/x") == ([A], [told])


@pytest.mark.parametrize("pasted", ["", " \n\t\r\n", "---", "- "])
def test_nothing_is_nothing(pasted: str) -> None:
    assert read_pasted(pasted) == ([], [])


@pytest.mark.parametrize("again", ["https://a/ (", "a.", "(", ")", "https://", "data:image/a;,", "a.b,", "- ", "_"])
@pytest.mark.hostile("what is found; nobody waits")
def test_texts_that_were_made_to_take_long_are_read(again: str) -> None:
    """Each address looks at what follows it, and only so far."""
    assert len(read_pasted((again * 200_000)[:100_000]).addresses) <= 500


# What comes back

PICTURE = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
PAGE = "leads to a web page, not to a picture: copy the picture's own address"
LOGIN = "leads to a page that asks to sign in, not to a picture: sign in with your browser"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    with serving({"/a.png": http_answer(PICTURE)}) as server:
        yield server


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("me.jpg", b"picture")
    return packed.getvalue()


def test_a_picture_comes_back_whatever_the_server_calls_it(server: LoopbackServer) -> None:
    for content_type in ("image/png", "text/html", "application/octet-stream", ""):
        server.answers["/a.txt"] = http_answer(PICTURE, f"Content-Type: {content_type}")
        assert fetch_picture(server.url("/a.txt")) == PICTURE


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4", "a film, not a picture: stop it where the face shows"),
        (b"\x1a\x45\xdf\xa3" + bytes(40), "image/jpeg", "a film, not a picture"),
        (json.dumps({"error": "no"}).encode(), "text/html", "a JSON text, not a picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "an SVG drawing, which is not read"),
        (b"%PDF-1.7\n", "application/pdf", "a PDF document, not a picture"),
        (zipped(), "application/zip", "a zip archive, not a picture: unpack it"),
        (b"just a text", "text/plain", "a text, not a picture"),
        (b"\x00\x01\x02\x03" * 9, "image/png", "not a picture in a known format"),
    ],
)
@pytest.mark.hostile("what it is, and what to do")
def test_what_is_no_picture_is_told_by_its_kind(
    server: LoopbackServer, body: bytes, content_type: str, told: str
) -> None:
    server.answers["/a.jpg"] = http_answer(body, f"Content-Type: {content_type}")
    with pytest.raises(NotAPictureError, match=told):
        fetch_picture(server.url("/a.jpg"))


@pytest.mark.parametrize(
    "page",
    [
        b"<!doctype html><title>me</title>",
        b"\n <HTML><body>me",
        b"\xef\xbb\xbf<!DOCTYPE html>",
        b"<h1>No picture</h1>",
        b"Not even a tag",
        "<!doctype html><title>я</title>".encode("windows-1251"),
    ],
)
def test_a_page_is_no_picture_and_how_to_get_at_its_pictures_is_told(server: LoopbackServer, page: bytes) -> None:
    server.answers["/a.jpg"] = http_answer(page, "Content-Type: text/html")
    with pytest.raises(WebPageError, match=PAGE) as told:
        fetch_picture(server.url("/a.jpg"))
    assert told.value.main_picture == ""


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("<input type=password>", "/photo"),
        ("<form><input name='p' type=\"Password\" /></form>", "/photo"),
        ("<p>Sign in</p>", "/login?next=/photo"),
        ("<p>Sign in</p>", "/users/sign_in"),
        ("<p>Sign in</p>", "/accounts/signin/v2"),
        ("<p>Sign in</p>", "/wp-login.php"),
        ("<p>Sign in</p><meta property=og:image content=/logo.png>", "/oauth2/authorize"),
    ],
)
def test_a_page_that_asks_to_sign_in_is_told_as_such(server: LoopbackServer, page: str, path: str) -> None:
    server.answers[path] = http_answer(f"<!doctype html>{page}".encode())
    server.answers["/a.jpg"] = redirect_to(path)
    with pytest.raises(WebPageError, match=LOGIN) as told:
        fetch_picture(server.url("/a.jpg"))
    assert told.value.main_picture == "", "it would be the logo"


@pytest.mark.parametrize("path", ["/login-tips.html", "/author/me", "/p?x=login"])
def test_a_page_about_signing_in_is_a_page(server: LoopbackServer, path: str) -> None:
    server.answers[path] = http_answer(b"<!doctype html>")
    with pytest.raises(WebPageError, match=PAGE):
        fetch_picture(server.url(path))


def main_picture(page: str | bytes, url: str = "http://example.org/p/1", content_type: str = "text/html") -> str:
    body = page if isinstance(page, bytes) else f"<!doctype html><head>{page}</head>".encode()
    return module._web_page_error(url, Answer(body, url, content_type)).main_picture


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ('<meta property="og:image" content="https://cdn.example.org/a.jpg">', "https://cdn.example.org/a.jpg"),
        ("<meta content='https://a.org/a.jpg' property='og:image' />", "https://a.org/a.jpg"),
        ("<META PROPERTY=og:image CONTENT=https://a.org/a.jpg>", "https://a.org/a.jpg"),
        ('<meta\n property="og:image"\n content="https://a.org/a.jpg"\n>', "https://a.org/a.jpg"),
        ('<meta data-x="a>b" property = "og:image" content = " https://a.org/a.jpg ">', "https://a.org/a.jpg"),
        ('<meta name="og:image" content="https://a.org/a.jpg">', "https://a.org/a.jpg"),
        ('<meta name="twitter:image" content="https://a.org/a.jpg">', "https://a.org/a.jpg"),
        ('<meta name="twitter:image:src" content="https://a.org/a.jpg">', "https://a.org/a.jpg"),
        ('<link rel="image_src" href="https://a.org/a.jpg">', "https://a.org/a.jpg"),
        ('<meta property="og:image" content="/a.jpg?x=1&amp;y=2">', "http://example.org/a.jpg?x=1&y=2"),
        ('<meta property="og:image" content="a.jpg">', "http://example.org/p/a.jpg"),
        ('<meta property="og:image" content="//a.org/a.jpg">', "http://a.org/a.jpg"),
        ('<base href="/q/"><meta property="og:image" content="a.jpg">', "http://example.org/q/a.jpg"),
        ('<meta property="og:image" content="a b&#228;.jpg">', "http://example.org/p/a%20b%C3%A4.jpg"),
        (
            '<meta property="og:image" content=""><meta property="og:image" content="/a.jpg">',
            "http://example.org/a.jpg",
        ),
        (
            '<meta property="og:image" content="/1.jpg"><meta property="og:image" content="/2.jpg">',
            "http://example.org/1.jpg",
        ),
        (
            '<link rel="image_src" href="/3.jpg"><meta name="twitter:image" content="/2.jpg">'
            '<meta property="og:image" content="/1.jpg">',
            "http://example.org/1.jpg",
        ),
        (
            '<meta property="og:image" content="http://a.org/1.jpg">'
            '<meta property="og:image:secure_url" content="https://a.org/1.jpg">',
            "https://a.org/1.jpg",
        ),
        (
            '<!-- <meta property="og:image" content="/old.jpg"> --><meta property="og:image" content="/a.jpg">',
            "http://example.org/a.jpg",
        ),
        ("<script>x = '<meta property=og:image content=/no.jpg>'</script>", ""),
        ('<meta property="og:image:width" content="300">', ""),
        ('<meta property="og:image" content="/p/1">', ""),  # the page itself
        ('<meta property="og:image" content="javascript:alert(1)">', ""),
        ('<meta property="og:image" content="file:///etc/passwd">', ""),
        ('<meta property="og:image" content="data:image/png;base64,iVBORw0KGgo=">', ""),
        ('<meta property="og:image" content="http://user:pw@a.org/">', ""),
        ('<meta property="og:image" content="http://a.org:22/">', ""),
        ('<meta property="og:image" content="http://[">', ""),
        ('<meta property="og:image" content="http://a&#8203;.org/">', ""),
        ('<meta property="og:image" content="http://a.org/&#10;x">', ""),
        (f'<meta property="og:image" content="http://a.org/{"x" * MAX_ADDRESS_CHARS}">', ""),
        (
            '<meta property="og:image" content="javascript:1"><meta name="twitter:image" content="/a.jpg">',
            "http://example.org/a.jpg",
        ),
        ("<base href='http://['><meta property=og:image content=/a.jpg>", "http://example.org/a.jpg"),
        ('<meta property="og:image" content="/a.jpg', ""),
    ],
)
@pytest.mark.hostile("the main picture's address, or none where it would be refused")
def test_the_main_picture_of_a_page_is_found(page: str, address: str) -> None:
    assert main_picture(page) == address


def test_a_page_on_https_leads_to_no_picture_on_http() -> None:
    """Browsers ask for it by https; so does this."""
    page = '<meta property="og:image" content="HTTP://a.org/1.jpg">'
    assert main_picture(page, "https://example.org/") == "https://a.org/1.jpg"
    base = '<base href="http://a.org/"><meta property="og:image" content="1.jpg">'
    assert main_picture(base, "https://example.org/") == "https://a.org/1.jpg"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("ж", "text/html; charset=windows-1251"),
        ("ж", 'text/html; charset="koi8-r"'),
        ("顔", "text/html;charset=Shift_JIS"),
        ("ä", "text/html; charset=utf-16"),
        ("ж", "text/html; charset=nonsense"),
        ("ж", "text/html; charset=idna"),  # to Python an encoding; a slow one
    ],
)
def test_pages_are_read_in_their_own_encoding(body: str, content_type: str) -> None:
    encoding = content_type.rpartition("=")[2].strip('"')
    encoding = "utf-8" if encoding in ("nonsense", "idna") else encoding
    page = f"<!doctype html><meta property=og:image content=/{body}.jpg>".encode(encoding)
    quoted = "".join(f"%{byte:02X}" for byte in body.encode())
    assert main_picture(page, content_type=content_type) == f"http://example.org/{quoted}.jpg"


@pytest.mark.parametrize("start", [b"", codecs.BOM_UTF8])
def test_a_page_may_name_its_encoding_itself(start: bytes) -> None:
    text = "<!doctype html><meta charset='{}'><meta property=og:image content=/ä.jpg>"
    encoding = "utf-8" if start else "iso-8859-1"
    page = start + text.format(encoding).encode(encoding)
    assert main_picture(page) == "http://example.org/%C3%A4.jpg"


@pytest.mark.parametrize(
    "again", ["<a ", "<meta ", '<meta "', "<meta '\"", "<!--", "<script", "<meta a=", "<![", '<meta "<meta a" ']
)
@pytest.mark.hostile("that it is a web page; nobody waits")
def test_pages_that_were_made_to_take_long_are_read(again: str) -> None:
    """Python's own parser takes half a minute for the first of them, and stumbles over another."""
    assert main_picture(again * (600_000 // len(again))) == ""


def test_a_main_picture_is_fetched_by_the_rules_for_all_addresses(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/page"] = http_answer(b"<!doctype html><meta property=og:image content=/moved>")
    server.answers["/moved"] = redirect_to("http://10.0.0.1/a.png")
    with pytest.raises(WebPageError) as told:
        fetch_picture(server.url("/page"))
    assert told.value.main_picture == server.url("/moved")
    with pytest.raises(FetchError, match="only fetched from the public internet"):
        fetch_picture(told.value.main_picture)
    monkeypatch.delenv(LOOPBACK_SWITCH)
    with pytest.raises(FetchError, match="only fetched from the public internet"):
        fetch_picture(told.value.main_picture)
