"""Addresses of pictures: out of whatever people paste, and out of the web pages that some of them lead to.

Nothing here draws: the command line reads and fetches its addresses by the same rules.
"""

import re
from html import unescape
from itertools import islice
from typing import Final, NamedTuple

from emotion.errors import FetchError, WebPageError
from emotion.faces.fetch import FETCH_SECONDS, MAX_ADDRESS_CHARS, Answer, fetch, prepare
from emotion.faces.files.kinds import JSON, WEB_PAGE, NotAPictureError, kind_of
from emotion.faces.files.texts import FIRST_BYTES, text_of
from emotion.faces.files.walks import PICTURE_ENDINGS

_PICTURE_ENDINGS: Final = f"{PICTURE_ENDINGS}|svg"
_FILE_ENDINGS: Final = f"{_PICTURE_ENDINGS}|avi|csv|docx?|gz|html?|json|mkv|mov|mp4|mpe?g|pdf|rar|txt|webm|xlsx?|zip"
_PICTURE: Final = re.compile(rf"\.(?:{_PICTURE_ENDINGS})(?!\w)", re.IGNORECASE)

_NAME: Final = r"(?:[^\W_][\w-]{0,62}\.){1,20}(?:[^\W\d_]{2,63}|xn--[\w-]{1,59})"
_HOST: Final = rf"(?:{_NAME}|\d{{1,3}}(?:\.\d{{1,3}}){{3}}|localhost)(?::\d{{1,5}})?"
_SCHEME: Final = re.compile("https?://", re.IGNORECASE)
# Without a scheme, an address begins a word; behind these schemes stands what only a browser, or fsspec, can open.
_START: Final = re.compile(
    r"(?<!blob:)(?<!filesystem:)(?<!::)https?://"
    rf"|(?<![\w.@%/\\:=?&#~-])(?://)?(?:www\.(?=[^\W_])|{_HOST}/)",
    re.IGNORECASE,
)

_QUOTES: Final = {
    '"': '"', "'": r"'(?!\w)", "`": "`", "<": "[>|]", "«": "»", "»": "«", "‹": "›", "›": "‹", "~": "~",
    "\u201c": "[\u201c\u201d]", "\u201d": "\u201d", "\u201e": "[\u201c\u201d]", "\u201a": "[\u2018\u2019]",
    "\u2018": r"\u2019(?!\w)", "\u2019": r"\u2019(?!\w)", "「": "」", "『": "』", "《": "》", "_": r"_(?![\w(])",
}  # fmt: skip
"""What ends an address that one of these begins, in the customs of several languages; in chats, <ADDRESS|text>."""

_BRACKETS: Final = (("(", ")"), ("[", "]"), ("{", "}"), ("（", "）"), ("【", "】"))
_SEPARATORS: Final = ",;|，；、"
_INVISIBLE: Final = (
    "\xad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_TRAILING: Final = f"{_SEPARATORS}{_INVISIBLE}.:!?…*'\"\u2018\u2019\u201c\u201d»›>。！？： \t\xa0"
_LIST_MARK: Final = re.compile(r"\s*(?:[-*•·+>‣–—]|\d{1,3}[.)])\s+")
_NEVER_INSIDE: Final = re.compile(r'["<>`]|&(?:quot|gt|lt|#39);|\[/\w+\]')
_WIDTH: Final = r"\d+(?:\.\d+)?[wx]"  # in HTML's srcset
_REMARK: Final = re.compile(rf"[(\[{{<#|=\u2013\u2014\u2192（-]|//|:|{_WIDTH}$")
"""How what is written behind an address begins."""

_THIS_COMPUTER: Final = r"[a-z]:[\\/](?!/)|\\\\\w|~[\\/]|\.{1,2}[\\/]|/\w|file:|content:"
_PATH: Final = re.compile(_THIS_COMPUTER, re.IGNORECASE)
_NEXT_PATH: Final = re.compile(rf"[{_SEPARATORS}\s]+[\"']?(?={_THIS_COMPUTER})", re.IGNORECASE)
_FILE_NAME: Final = re.compile(rf"[^<>\"?:=]*[^\s<>\"?:=./]\.(?:{_FILE_ENDINGS})", re.IGNORECASE)
_OF_THE_BROWSER: Final = re.compile(r"(?:blob|filesystem|about|cid|chrome|edge|[a-z-]+-extension):\S", re.IGNORECASE)
_OTHER_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://\S", re.IGNORECASE)
_DATA: Final = re.compile(
    r"data:image/[\w.+-]+[;,][\w+/=%;,:.-]*(?:\s+[\w+/=]{60,})*(?:\s+[\w+/]*=+(?=\s|$))?", re.IGNORECASE
)
_MISTYPED: Final = re.compile(r"[^\s<>=\"]*\w[./\\:]+\w[^\s<>=\"]*")

_MOST_SHOWN_CHARS: Final = 80
_MOST_ADDRESSES: Final = 500
"""Of a line: more than anybody is shown."""


class Pasted(NamedTuple):
    """What somebody pasted: web addresses, each once, as typed; and, a sentence each, what else stands there."""

    addresses: list[str]
    problems: list[str]


def read_pasted(text: str) -> Pasted:
    """Take the addresses out of a text for the page: whatever stands around them goes.

    Parameters
    ----------
    text : str, of any number of lines

    Returns
    -------
    Pasted; both lists are empty for an empty text
    """
    addresses: list[str] = []
    problems: list[str] = []
    rest, n_data = _DATA.subn(" ", text)
    if n_data:
        problems.append("data:image/... is a picture written as a text: save it as a file, and choose that below.")
    others: list[str] = []
    for line in rest.splitlines():
        found, around = _split(line)
        addresses += found
        if found:
            pieces = [piece for gap in around for piece in _NEXT_PATH.split(f" {gap}") if _PICTURE.search(piece)]
            problems += [_of_this_computer(_trimmed(piece)) for piece in pieces if _PATH.match(piece)]
        elif bare := _trimmed(_without_marks(line)[: MAX_ADDRESS_CHARS + 1]):
            _judge(bare, addresses, problems, others)
    # Words beside addresses are remarks, but for one that may have been meant as an address.
    is_all = not addresses and not problems
    problems += [
        f"There is no web address in {_shown(other)}: paste one like https://example.org/picture.jpg."
        for other in ([" ".join(others)] if is_all and others else filter(_MISTYPED.fullmatch, others))
    ]
    return Pasted(list(dict.fromkeys(addresses)), list(dict.fromkeys(problems)))


def web_addresses(text: str) -> list[str]:
    """Take the web addresses out of a text, as `read_pasted` does, and leave aside what else it may be.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str, complete addresses, each once
    """
    return list(dict.fromkeys(address for line in text.splitlines() for address in _split(line)[0]))


def _judge(bare: str, addresses: list[str], problems: list[str], others: list[str]) -> None:
    """Sort a line without an address that is written in full."""
    if _PATH.match(bare):
        problems += [_of_this_computer(_trimmed(path)) for path in _NEXT_PATH.split(bare)]
    elif _OF_THE_BROWSER.match(bare):
        problems.append(
            f"{_shown(bare)} can be opened by the browser alone that it comes from: save the picture there, and choose "
            "it as a file below."
        )
    elif _OTHER_SCHEME.match(bare):
        addresses.append(bare)  # to be refused as any address is
    elif _FILE_NAME.fullmatch(bare):
        problems.append(_of_this_computer(bare))
    elif re.fullmatch(rf"{_HOST}(?:\?\S*)?", bare, re.IGNORECASE):
        addresses.append(f"https://{bare}")
    elif re.search(r"\w", bare):
        others.append(bare)


def _of_this_computer(path: str) -> str:
    return f"{_shown(path)} is a file of your computer, not a web address: choose it as a file below."


def _shown(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN_CHARS else f"{text[:_MOST_SHOWN_CHARS]}…"


def _split(line: str) -> tuple[list[str], list[str]]:
    """Give the addresses of a line, and the texts around them."""
    found: list[str] = []
    around: list[str] = []
    position = 0
    while len(found) < _MOST_ADDRESSES and (start := _START.search(line, position)) is not None:
        around.append(line[position : start.start()])
        taken = _taken(line, start, around[-1])
        position = start.start() + max(len(taken), len(start[0]))
        found.append(_completed(taken))
    return found, [*around, line[position:]]


def _completed(address: str) -> str:
    address = re.sub(
        r"^(?:https?://)+(?=https?://)", "", re.sub("&(?:amp|#38|#x26);", "&", address), flags=re.IGNORECASE
    )
    return address if _SCHEME.match(address) else f"https://{address.removeprefix('//')}"


def _taken(line: str, start: re.Match[str], before: str) -> str:
    """Find where an address ends: it may have blanks, brackets and commas within."""
    end = min(len(line), start.start() + MAX_ADDRESS_CHARS + 1)
    follower = next((m.start() for m in _START.finditer(line, start.end(), end) if _begins_another(line, m)), None)
    segment = line[start.start() : end if follower is None else follower]
    closer = _QUOTES.get(before.rstrip()[-1:])
    closed = re.search(closer, segment) if closer else None
    if closed is not None:
        quoted = re.sub(rf"\s+{_WIDTH}$", "", segment[: closed.start()].strip())
        head = quoted.split()[0]
        return _trimmed(head) if _PICTURE.search(head) else quoted
    if (stop := _NEVER_INSIDE.search(segment)) is not None:
        segment, follower = segment[: stop.start()], stop.start()
    closers = {bracket[1] for bracket in _BRACKETS if before.count(bracket[0]) > before.count(bracket[1])}
    segment = _up_to_bracket(segment, closers)
    is_beside_others = follower is not None or bool(closers) or bool(re.search(r"[^\W\d_]{2,}", _without_marks(before)))
    return _trimmed(_up_to_remark(segment, is_beside_others))


def _begins_another(line: str, start: re.Match[str]) -> bool:
    """Tell whether what looks like an address does not stand within the one before, as in ?url=https://..."""
    before = line[max(0, start.start() - 9) : start.start()]
    if before.rstrip("".join(["([{", *_QUOTES]))[-1:].isspace():
        return True
    if _SCHEME.match(start[0]):
        return before[-1:] in {*_SEPARATORS, *_QUOTES, *"[>]"}
    return before[-1:] in _SEPARATORS and bool(re.search(_PICTURE.pattern + "$", before[-9:-1], re.IGNORECASE))


def _up_to_bracket(segment: str, closers: set[str]) -> str:
    """Cut at the bracket that closes one before the address; pairs within belong to it."""
    for opener, closer in _BRACKETS:
        depth = 0
        for place, character in enumerate(segment) if closer in closers else ():
            depth += (character == opener) - (character == closer)
            if depth < 0:
                segment = segment[:place]
                break
    return segment


def _up_to_remark(segment: str, is_beside_others: bool) -> str:
    words = [(word.end(), word[0].rstrip(_TRAILING)) for word in re.finditer(r"\S+", segment)]
    if len(words) < 2 or _PICTURE.search(words[0][1]):
        return segment[: words[0][0]]
    for end, word in words:
        if re.search(rf"{_PICTURE.pattern}(?:[?#].*)?$", word, re.IGNORECASE):
            return segment[:end]
    n_own = next((n for n, (_, word) in enumerate(words) if n and (not word or _REMARK.match(word))), len(words))
    return segment[: words[0 if is_beside_others else n_own - 1][0]]


def _trimmed(text: str) -> str:
    """Take away what a sentence or a list leaves around an address, the end of a bracket included."""
    bare = ""
    while bare != text:
        bare = text
        text = text.rstrip(_TRAILING).lstrip(f"{_INVISIBLE} \t\xa0\"'\u201c\u201e\u2018«‹<")
        for opener, closer in _BRACKETS:
            if text.endswith(closer) and text.count(closer) > text.count(opener):
                text = text[:-1]
    return bare


def _without_marks(line: str) -> str:
    while (mark := _LIST_MARK.match(line)) is not None:
        line = line[mark.end() :]
    return line


_PAGE_BYTES: Final = 1 << 19
"""So much of a page is looked through for its main picture."""

_MOST_TAGS: Final = 2000
_MOST_TAG_CHARS: Final = MAX_ADDRESS_CHARS + 2000

# html.parser takes minutes for 64 KB that were made for it, and stumbles over others (Python 3.11.7): these are linear.
_TAG: Final = re.compile(r"<(meta|link|base|input)(?=[\s/])", re.IGNORECASE)
_REST_OF_TAG: Final = re.compile(r"""(?>[^<>"']|"[^"]*"|'[^']*')*+>""")
_ATTRIBUTE: Final = re.compile(r"""(?<![\w:.-])([\w:.-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_ENCODINGS: Final = re.compile(
    r"utf-?8|utf-16(?:le|be)?|iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|shift_jis|euc-(?:jp|kr)|iso-2022-jp"
    r"|gb(?:k|2312|18030)|big5|koi8-[ru]"
)
"""Of the web (WHATWG, "Encoding"); Python knows others too, which take long."""

_MAIN_PICTURES: Final = (
    "og:image:secure_url",
    "og:image",
    "og:image:url",
    "twitter:image",
    "twitter:image:src",
    "image_src",
)
"""What pages call their main picture (https://ogp.me and others), the best first."""

_LOGIN: Final = re.compile(
    r"[/.-](?:(?:log|sign)[-_]?(?:in|on)|auth|authorize|authenticate|oauth2?|sso)(?:[/.?;_-]|$)", re.IGNORECASE
)


def fetch_picture(address: str, seconds: float = FETCH_SECONDS) -> bytes:
    """Fetch a picture, and say of anything else what it is.

    Parameters
    ----------
    address : str, as for `emotion.faces.fetch.fetch`
    seconds : float, > 0, likewise

    Returns
    -------
    bytes, which begin as a picture's do

    Raises
    ------
    FetchError
        As `emotion.faces.fetch.fetch`.
    WebPageError
        If it is a web page; the error carries the address of the page's main picture.
    NotAPictureError
        If it is of another kind.
    """
    answer = fetch(address, seconds)
    kind = kind_of(answer.body[:FIRST_BYTES])
    if kind == WEB_PAGE or (kind.family == "text" and kind != JSON and "html" in answer.content_type.lower()):
        raise _web_page_error(address, answer)
    if kind.family != "picture":
        raise NotAPictureError(kind)
    return answer.body


def _web_page_error(address: str, answer: Answer) -> WebPageError:
    named, asks_for_password = _read_page(answer)
    offered = next((picture for key in _MAIN_PICTURES if (picture := named.get(key))), "")
    if (asks_for_password and not offered) or (_LOGIN.search(answer.url) and not _LOGIN.search(address)):
        return WebPageError(
            "The address leads to a page that asks to sign in, not to a picture: sign in with your browser, save the "
            "picture, and use the file."
        )
    return WebPageError(
        "The address leads to a web page, not to a picture: copy the picture's own address (right click on it), or "
        "save it and use the file.",
        offered if offered != answer.url else "",
    )


def _read_page(answer: Answer) -> tuple[dict[str, str], bool]:
    """Give the addresses that a page names for `_MAIN_PICTURES`, and whether it asks for a password."""
    text = _text_of_page(answer)
    named: dict[str, str] = {}
    base, asks_for_password = answer.url, False
    for tag in islice(_TAG.finditer(text), _MOST_TAGS):
        rest = _REST_OF_TAG.match(text, tag.end(), tag.end() + _MOST_TAG_CHARS)
        if rest is None:
            continue
        values = {m[1].lower(): unescape(m[2] or m[3] or m[4] or "").strip() for m in _ATTRIBUTE.finditer(rest[0])}
        what, key = tag[1].lower(), values.get("property", values.get("name", values.get("rel", ""))).lower()
        if what == "base":
            base = _on_page(values.get("href", ""), answer.url) or base
        elif what == "input":
            asks_for_password = asks_for_password or values.get("type", "").lower() == "password"
        else:
            value = values.get("content" if what == "meta" else "href")
            if value and key in _MAIN_PICTURES:
                named.setdefault(key, value)
    return {key: _on_page(value, base) for key, value in named.items()}, asks_for_password


def _on_page(address: str, base: str) -> str:
    """Complete an address that a page names, by https where the page's is, as browsers do; empty if it is refused."""
    if base.startswith("https:"):
        address = re.sub("^http:", "https:", address, flags=re.IGNORECASE)
    try:
        return str(prepare(address, base).url) if address else ""
    except FetchError:
        return ""


def _text_of_page(answer: Answer) -> str:
    start = answer.body[:_PAGE_BYTES]
    declared = _CHARSET.search(answer.content_type) or _CHARSET.search(start[:4096].decode("latin-1"))
    encoding = declared[1].lower() if declared is not None else ""
    if _ENCODINGS.fullmatch(encoding):
        text = start.decode(encoding, "replace")
    else:
        text = text_of(start) or start.decode("utf-8", "replace")
    # What is commented out, or written by a program, counts for nothing.
    for opener, closer in (("<!--", "-->"), ("<script", "</script")):
        first, *others = text.split(opener)
        text = first + "".join(other.partition(closer)[2] for other in others)
    return text
