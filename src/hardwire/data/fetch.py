"""Files of named sources: where they are looked for, how they are downloaded and checked.

A source's files come in one or more layouts. They are looked for in the data folder, in ``$HARDWIRE_DATA`` and in the
user's cache, and the first layout is downloaded from the source's own address when none is anywhere. A file may stay
compressed (``.gz``, ``.xz``); its checksum is that of its unpacked content, so that it holds wherever the file came
from. Where files are published together in an archive, the archive may lie there in their place.

Nothing is read, downloaded or unpacked beyond the size that a file is known to have, and nothing is downloaded but over
https. Members of an archive are read by their exact names into memory; none is written to a path that it names.
"""

import gzip
import hashlib
import http.client
import io
import logging
import lzma
import os
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from ..core.errors import FormatError, InputError
from ..core.files import write_bytes
from .samples import Samples

log = logging.getLogger(__name__)

#: How a file may be packed, by its suffix.
SUFFIXES = ("", ".gz", ".xz")
#: Of an address and of what it redirects to.
SCHEMES: tuple[str, ...] = ("https",)
#: Seconds without an answer, and bytes a second below which a download is given up.
TIMEOUT_S, SLOWEST = 60, 20_000
#: Memory for unpacking ``.xz``; the most that its presets ask for is 65 MiB.
XZ_MEMORY = 256 << 20
PIECE = 1 << 20

#: Gives the unpacked content of the named file of a source.
Open = Callable[[str], bytes]


@dataclass(frozen=True)
class File:
    """What is known of a published file.

    Attributes
    ----------
    size : int
        The most bytes that it has, unpacked; its exact size where it is known.
    sha256 : str
        Of the unpacked content; empty where the file was not at hand.
    md5 : str
        As published; checked where there is no SHA-256. Empty: none is published.
    """

    size: int
    sha256: str = ""
    md5: str = ""


@dataclass(frozen=True)
class Archive:
    """A published ``.tar.gz``: its name, what is known of it as it is packed, the folder in it that holds the files."""

    name: str
    packed: File
    folder: str


@dataclass(frozen=True)
class Layout:
    """One form in which a source is published.

    Attributes
    ----------
    read : callable
        From its files to samples.
    files : mapping
        File name -> what is known of it.
    address : str
        Folder, with its final slash, that holds each file as FILE + ``suffix``, or the archive; empty: not downloaded.
    suffix : str
        Of the files at the address: .gz, .xz or none.
    archive : Archive, optional
        That holds all the files, if they are published so.
    folders : tuple of str
        Other folders than the source's own name that the files may lie in.
    """

    read: Callable[["Source", Open], Samples]
    files: Mapping[str, File] = field(default_factory=dict)
    address: str = ""
    suffix: str = ".gz"
    archive: Archive | None = None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A named data set: a line for ``Dataset.source``, its layouts, the best one first, the names of its classes."""

    title: str
    layouts: tuple[Layout, ...]
    classes: tuple[str, ...] = tuple("0123456789")


class Files:
    """Opens the files of one layout of the source ``name``; an archive is unpacked once."""

    def __init__(
        self, name: str, layout: Layout, data_dir: str | os.PathLike[str] | None = None, download: bool = True,
    ) -> None:
        self.name, self.layout, self.download = name, layout, download
        self.folders = _folders(name, layout, data_dir)
        self._members: dict[str, bytes] = {}

    def present(self) -> bool:
        """Whether all files of the layout, or its archive, lie in the folders."""
        archive = self.layout.archive
        return bool(archive and self._find(archive.name)) or all(map(self._find, self.layout.files))

    def __call__(self, file: str) -> bytes:
        """The unpacked and checked content of one file, from the first folder that has it, else from its address."""
        if file in self._members:
            return self._members.pop(file)
        known, archive = self.layout.files[file], self.layout.archive
        if path := self._find(file):
            suffix = path.suffix if path.name != file else ""
            return checked(_read(path, packed_limit(known.size, suffix)), suffix, known, str(path))
        if archive and (path := self._find(archive.name)):
            return self._unpack(archive, _read(path, archive.packed.size), file, str(path))
        if not (self.download and self.layout.address):
            places = ", ".join(dict.fromkeys(map(str, self.folders)))
            remedy = "put it there or allow the download" if self.layout.address else "put it there"
            raise InputError(f"{file} of {self.name} is in none of {places}; {remedy}")
        return self._download(file)

    def _find(self, file: str) -> Path | None:
        paths = (folder / (file + suffix) for folder in self.folders for suffix in SUFFIXES)
        return next((path for path in paths if path.is_file()), None)

    def _unpack(self, archive: Archive, packed: bytes, file: str, what: str) -> bytes:
        self._members = unpack_archive(packed, archive, self.layout.files, what)
        return self._members.pop(file)

    def _download(self, file: str) -> bytes:
        """Fetch the file or its archive, check it, and only then put it in the user's cache."""
        archive, cache = self.layout.archive, user_cache_path("hardwire") / self.name
        known, suffix = self.layout.files[file], self.layout.suffix
        name = archive.name if archive else file + suffix
        address = self.layout.address + name
        packed = _fetch(address, archive.packed.size if archive else packed_limit(known.size, suffix), cache)
        content = self._unpack(archive, packed, file, address) if archive else checked(packed, suffix, known, address)
        write_bytes(cache / name, packed)
        return content


def packed_limit(size: int, suffix: str) -> int:
    """The most bytes that a file of so many may have when packed; what cannot be compressed grows a little."""
    return size + size // 100 + (1 << 16) if suffix else size


def unpack_archive(packed: bytes, archive: Archive, files: Mapping[str, File], what: str) -> dict[str, bytes]:
    """Check an archive and return the content of ``files``, checked, by name.

    Raises
    ------
    FormatError
        Where the archive is not the published one; ``what`` names it.
    """
    checked(packed, "", archive.packed, what)
    wanted = {f"{archive.folder}/{file}": file for file in files}
    members: dict[str, bytes] = {}
    limit = 2 * sum(file.size for file in files.values()) + PIECE  # it holds other files and headers too
    try:
        with gzip.open(io.BytesIO(packed)) as stream:
            bounded = cast(IO[bytes], _Bounded(cast(BinaryIO, stream), limit, what))
            with tarfile.open(fileobj=bounded, mode="r|") as tar:
                for member in tar:
                    if member.name in wanted and member.isreg() and (content := tar.extractfile(member)):
                        file, known = wanted[member.name], files[wanted[member.name]]
                        members[file] = checked(content.read(known.size + 1), "", known, f"{file} in {what}")
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error):
        raise FormatError(f"{what} is cut short or damaged; fetch the published file anew") from None
    missing = sorted(set(wanted.values()) - set(members))
    if missing:
        raise FormatError(f"{what} lacks {archive.folder}/{missing[0]}; fetch the published file anew")
    return members


class _Bounded:
    """A stream that gives no more than ``limit`` bytes."""

    def __init__(self, stream: BinaryIO, limit: int, what: str) -> None:
        self.stream, self.left, self.what = stream, limit, what

    def read(self, size: int) -> bytes:
        """The next bytes; FormatError beyond the limit."""
        piece = self.stream.read(min(size, self.left + 1))
        self.left -= len(piece)
        if self.left < 0:
            raise FormatError(f"{self.what} unpacks to far more than the published files; fetch the published one anew")
        return piece


def checked(packed: bytes, suffix: str, known: File, what: str) -> bytes:
    """Unpack content by its file's suffix, up to its known size, and check it.

    Parameters
    ----------
    packed : bytes
        The file as it lies there.
    suffix : str
        ``.gz``, ``.xz`` or empty.
    known : File
        Its size and checksum.
    what : str
        Names the file in an error.

    Raises
    ------
    FormatError
        Where the file is damaged, larger or another one.
    """
    try:
        content = _unpacked(packed, suffix, known.size)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        raise FormatError(f"{what} is cut short or damaged; fetch the published file anew") from None
    if len(content) > known.size:
        raise FormatError(f"{what} has more than the {known.size} bytes of the published file; fetch that anew")
    digests = (("SHA-256", known.sha256, hashlib.sha256), ("MD5", known.md5, _md5))
    name, published, digest_of = next((row for row in digests if row[1]), digests[0])
    if published and (digest := digest_of(content).hexdigest()) != published:
        raise FormatError(f"{what} has {name} {digest}, not {published}; fetch the published file anew")
    return content


def _md5(content: bytes) -> "hashlib._Hash":
    return hashlib.md5(content, usedforsecurity=False)


def _unpacked(packed: bytes, suffix: str, limit: int) -> bytes:
    """The content, or its first ``limit + 1`` bytes where there are more."""
    if suffix == ".gz":
        with gzip.open(io.BytesIO(packed)) as stream:
            return stream.read(limit + 1)
    content = bytearray()
    while suffix == ".xz" and packed and len(content) <= limit:  # one stream after the other
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
        content += unpacker.decompress(packed, limit + 1 - len(content))
        if not unpacker.eof and len(content) <= limit:
            raise EOFError
        packed = unpacker.unused_data.lstrip(b"\0")
    return bytes(content) if suffix else packed


def _folders(name: str, layout: Layout, data_dir: str | os.PathLike[str] | None) -> list[Path]:
    """Where files of ``name`` may lie. A folder that the user names and that is missing is an error, not a fallback."""
    folders: list[Path] = []
    for what, given in (("data folder", data_dir), ("HARDWIRE_DATA", os.environ.get("HARDWIRE_DATA"))):
        if given:
            if not Path(given).is_dir():
                raise InputError(f"{what} {str(given)!r} is no folder; correct it or leave it out")
            folders += [*(Path(given) / inside for inside in (name, *layout.folders)), Path(given)]
    return [*folders, user_cache_path("hardwire") / name]


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    if len(content) > limit:
        raise FormatError(f"{path} has more than the {limit} bytes of the published file; fetch that anew")
    return content


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the same schemes alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request to the new address."""
        try:
            _check_scheme(newurl)
        except OSError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_scheme(address: str) -> None:
    if (scheme := urlsplit(address).scheme) not in SCHEMES:
        raise OSError(f"{scheme} is not {' or '.join(SCHEMES)}")


def _fetch(address: str, limit: int, folder: Path) -> bytes:
    """The whole content at an address, of ``limit`` bytes at most; InputError where it cannot be had."""
    log.info("downloading %s", address)
    try:
        _check_scheme(address)
        with urllib.request.build_opener(_Redirects).open(address, timeout=TIMEOUT_S) as answer:
            return _received(answer, limit)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(error, urllib.error.HTTPError):  # which is the answer, too
            error.close()
        raise InputError(f"cannot download {address} ({reason}); fetch it yourself and put it in {folder}") from None


def _received(answer: http.client.HTTPResponse, limit: int) -> bytes:
    """What an answer holds, in whole and in time."""
    seconds = TIMEOUT_S + limit / SLOWEST
    content, end = bytearray(), time.monotonic() + seconds
    while piece := answer.read1(PIECE):
        content += piece
        if len(content) > limit:
            raise OSError(f"it has more than the {limit} bytes of the published file")
        if time.monotonic() > end:
            raise OSError(f"it takes more than {seconds:.0f} s")
    length = answer.headers.get("Content-Length")
    if length is not None and int(length) != len(content):
        raise OSError(f"{len(content)} of {length} bytes came")
    return bytes(content)
