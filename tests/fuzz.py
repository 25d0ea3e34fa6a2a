"""Random input, as much of it as asked for: python -m tests.fuzz image --runs 200000

Pictures and tables are real ones with bytes flipped, cut out, doubled or put in; addresses are put together from parts
that parsers are known to disagree on. Whatever comes, nothing but an `EmotionError` may escape, and no address may lead
to a connection with a network that is not public. What does escape is kept in a file, and the run can be repeated with
its seed.
"""

import argparse
import contextlib
import gzip
import inspect
import io
import ipaddress
import logging
import random
import socket
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet
from PIL import Image

from emotion.data.dataset import read_faces
from emotion.errors import EmotionError
from emotion.faces.decode import decode_image
from emotion.faces.fetch import fetch
from emotion.streams.session.saved import open_session, save_session
from tests import fuzz_films
from tests.heic import heic
from tests.streams.session.made import random_session

ODD_BYTES = [
    b"\x00",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"0",
    b"-",
    b'"',
    b"\n",
    b",",
]
HOSTS = [
    "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost", "[::1]", "[::]", "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]", "[2002:a00:1::]", "10.0.0.1", "192.168.0.1", "169.254.169.254", "168.63.129.16", "100.64.0.1",
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1",
    "metadata.google.internal", "[fe80::1%25eth0]", "[fd00::1]", "224.0.0.1",
    "%31%32%37.0.0.1", "faces.example", "faces.example.", "93.184.216.34",
]  # fmt: skip
GLUE = [
    "/",
    "//",
    "\\",
    "@",
    ":",
    "#",
    "?",
    "%",
    "%2f",
    "%40",
    "%00",
    " ",
    "\t",
    "\r\n",
    ".",
    "。",
    "[",
    "]",
    "\u200b",
    "ſ",
    "ß",
    "é",
]
SCHEMES = [
    "http://",
    "https://",
    "HTTP:\\\\",
    "http:/",
    "http:",
    "//",
    "file://",
    "ftp://",
    "gopher://",
    "data:",
    "jar:http://",
    "",
]


def pictures() -> list[bytes]:
    """Small files of every format that is read, with what makes formats complicated."""
    generator = np.random.default_rng(0)
    image = Image.fromarray(generator.integers(0, 256, (24, 31, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    made = [
        ("PNG", {}),
        ("JPEG", {"exif": exif}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ]
    made += [("GIF", {"save_all": True, "append_images": [image.rotate(9)]}), ("BMP", {}), ("PPM", {}), ("AVIF", {})]
    made += [("TIFF", {"compression": kind}) for kind in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")]
    modes = [
        ("P", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("L", "PPM"),
        ("1", "PPM"),
        ("F", "TIFF"),
    ]
    files = [_encoded(image, kind, **options) for kind, options in made]
    files += [files[1][:-2], heic(np.ascontiguousarray(np.asarray(image.resize((32, 24)))), quarter_turns=1)]
    return files + [_encoded(image.convert("L").convert(m) if m == "I;16" else image.convert(m), k) for m, k in modes]


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tables() -> list[bytes]:
    """A small table of faces in several forms, and the beginning of one."""
    columns = ",".join([*(f"{i}_px" for i in range(2304)), "emotion"])
    rows = [
        ",".join([str(shade)] * 2304) + f",{label}" for shade, label in ((0, "Angry"), (128, "Happy"), (255, "Sad"))
    ]
    whole = "\n".join([columns, *rows])
    pixels = [
        f"{code},{' '.join([str(70 + code)] * 2304)},{part}" for code, part in ((0, "Training"), (6, "PublicTest"))
    ]
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(io.BytesIO(whole.encode())), parquet)
    return [
        whole.encode(),
        columns.encode(),
        b"\xef\xbb\xbf" + "\r\n".join([columns, *rows]).encode(),
        whole.replace(",", ";").encode("utf-16"),
        "\n".join(["emotion,pixels,Usage", *pixels]).encode(),
        gzip.compress(whole.encode()),
        parquet.getvalue(),
    ]


def sessions() -> list[bytes]:
    """Saved sessions, packed and not, so that damage reaches what is in them."""
    whole = save_session(random_session(random.Random(0), 5))
    loose = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(loose, "w") as unpacked:
        for name in archive.namelist():
            unpacked.writestr(name, archive.read(name))
    return [whole, loose.getvalue()]


def mutated(data: bytes, generator: random.Random) -> bytes:
    """Change a file in one to four places, more often near its beginning, where formats keep what steers them."""
    changed = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        size = len(changed)
        place = min(size, int(size * generator.random() ** generator.choice([1, 4])))
        kind = generator.randrange(5)
        if kind == 0 and place < size:
            changed[place] ^= 1 << generator.randrange(8)
        elif kind == 1:
            odd = generator.choice(ODD_BYTES)
            changed[place : place + len(odd)] = odd
        elif kind == 2:
            del changed[place : place + generator.randint(1, 64)]
        elif kind == 3:
            changed[place:place] = changed[place : place + generator.randint(1, 64)]
        elif generator.random() < 0.2:
            del changed[place:]
    return bytes(changed)


def address(generator: random.Random) -> str:
    """Put an address together."""
    parts = [generator.choice(SCHEMES)]
    for _ in range(generator.randint(1, 4)):
        parts.append(generator.choice(GLUE if generator.random() < 0.4 else HOSTS))
    if generator.random() < 0.3:
        parts.append(f":{generator.choice([0, 22, 80, 443, 8080, 65536, -1])}")
    return "".join(parts)


FACES_EXAMPLE = "93.184.216.34"

NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in ("224.0.0.0/4", "168.63.129.16/32", "192.88.99.0/24", "2001::/23", "2002::/16")
]
"""What `ipaddress` calls global (in part, by Python's version) and `fetch` must not reach."""


def is_public(text: str) -> bool:
    """Judge an address by the standard library, and by what it lacks: not by what `fetch` judges by."""
    judged = ipaddress.ip_address(text.partition("%")[0])
    if judged.version == 6 and judged not in ipaddress.ip_network("2000::/3"):  # all that is given out
        return False
    return judged.is_global and not any(judged in network for network in NOT_PUBLIC)


class Guard:
    """Stands between `fetch` and the network: names are of one public host, and no connection is made at all."""

    def __init__(self) -> None:
        self.begun = 0
        self._resolve = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        try:  # the system reads odd spellings of numbers; it asks nobody
            family, kind, protocol = (*args, 0, 0, 0)[:3]
            return self._resolve(host, port, family, kind, protocol, socket.AI_NUMERICHOST)
        except (socket.gaierror, UnicodeError):
            if str(host).rstrip(".") == "faces.example":
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (FACES_EXAMPLE, port))]
            if str(host).rstrip(".") in ("localhost", "metadata.google.internal"):
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
            raise

    def connect(self, where: Any) -> None:
        if not is_public(where[0]):
            raise AssertionError(f"a connection to {where[0]} was begun")
        self.begun += 1
        raise ConnectionRefusedError("no fuzzing of other people's servers")


def main() -> None:
    """Run until something escapes or all is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["image", "address", "table", "film", "session"])
    parser.add_argument("--runs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="let Atheris, where it is installed, seek new paths")
    options = parser.parse_args()
    if options.what == "film":
        fuzz_films.drive(options.runs, options.seed)
        return
    logging.disable()
    warnings.simplefilter("ignore")
    seeds = {"image": pictures, "table": tables, "address": list, "session": sessions}[options.what]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"

        def one_table(data: bytes) -> None:
            file.write_bytes(data)
            read_faces(file)

        drive: Callable[[Any], object] = {
            "image": decode_image,
            "table": one_table,
            "address": fetch,
            "session": open_session,
        }[options.what]
        if options.what == "address":
            guard = Guard()
            socket.getaddrinfo = guard.getaddrinfo
            socket.socket.connect = lambda _, where: guard.connect(where)  # type: ignore[assignment,method-assign]
        if options.guided:
            _guide(drive, seeds, options.runs, options.seed)
        else:
            _drive(drive, seeds, options.runs, options.seed)
        if options.what == "address":
            print(f"{guard.begun:,} connections were begun, all to public addresses")


def _guide(drive: Callable[[Any], object], seeds: list[bytes], runs: int, seed: int) -> None:
    """Let Atheris (libFuzzer) keep what reaches new lines of Pillow's and our own Python, and go on from there."""
    import atheris

    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("PIL", "emotion"):
            for own_name, value in list(vars(module).items()):
                if inspect.isfunction(value) and value.__module__ == name:
                    setattr(module, own_name, atheris.instrument_func(value))
                elif inspect.isclass(value) and value.__module__ == name:
                    for method_name, method in list(vars(value).items()):
                        if inspect.isfunction(method):
                            setattr(value, method_name, atheris.instrument_func(method))

    def one(data: bytes) -> None:
        with contextlib.suppress(EmotionError):
            drive(data if seeds else data.decode("utf-8", "surrogateescape"))

    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds or [address(random.Random(n)).encode() for n in range(200)]):
            (Path(corpus) / str(number)).write_bytes(data)
        atheris.Setup([sys.argv[0], f"-runs={runs}", f"-seed={seed + 1}", "-max_len=20000", corpus], one)
        atheris.Fuzz()  # ends the process; what escapes is kept in a file crash-...


def _drive(drive: Callable[[Any], object], seeds: list[bytes], runs: int, seed: int) -> None:
    generator = random.Random(seed)
    started = time.monotonic()
    refused = 0
    for run in range(runs):
        given: Any = mutated(generator.choice(seeds), generator) if seeds else address(generator)
        try:
            drive(given)
        except EmotionError:
            refused += 1
        except BaseException:
            escaped = Path(f"escaped-{seed}-{run}")
            escaped.write_bytes(given if isinstance(given, bytes) else given.encode("utf-8", "surrogatepass"))
            print(f"run {run} of seed {seed}: {escaped} makes this escape", file=sys.stderr)
            raise
    seconds = time.monotonic() - started
    print(f"{runs:,} runs in {seconds:.0f} s, {refused:,} refused in a sentence, {runs - refused:,} read, none escaped")


if __name__ == "__main__":
    main()
