"""Files of named sources: where they are looked for, how they are downloaded and checked.

A source's files come in one or more layouts. They are looked for in the data folder, in ``$HARDWIRE_DATA`` and in the
user's cache, and the first layout is downloaded from the source's own address when none is anywhere. A file may stay
compressed (``.gz``, ``.xz``); its checksum is that of its unpacked content, so that it holds wherever the file came
from. Where files are published together in an archive, the archive may lie there in their place.
"""

import gzip
import hashlib
import http.client
import io
import logging
import lzma
import os
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from ..core.errors import FormatError, InputError
from ..core.files import write_bytes
from .samples import Samples

log = logging.getLogger(__name__)

UNPACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}
TIMEOUT_S = 60

#: Gives the unpacked content of the named file of a source.
Open = Callable[[str], bytes]


@dataclass(frozen=True)
class Archive:
    """A published ``.tar.gz``: its name, its MD5, and the folder inside it that holds the files."""

    name: str
    md5: str
    folder: str


@dataclass(frozen=True)
class Layout:
    """One form in which a source is published.

    Attributes
    ----------
    read : callable
        From its files to samples.
    md5 : mapping
        File name -> MD5 of the unpacked content, as published; None where no checksum is published.
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
    md5: Mapping[str, str | None] = field(default_factory=dict)
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
        return bool(archive and self._find(archive.name)) or all(map(self._find, self.layout.md5))

    def __call__(self, file: str) -> bytes:
        """The unpacked and checked content of one file, from the first folder that has it, else from its address."""
        if file in self._members:
            return self._members.pop(file)
        if path := self._find(file):
            return checked(_read(path), path.suffix if path.name != file else "", self.layout.md5[file], str(path))
        archive = self.layout.archive
        if archive and (path := self._find(archive.name)):
            return self._unpack(archive, _read(path), file, str(path))
        if not (self.download and self.layout.address):
            places = ", ".join(dict.fromkeys(map(str, self.folders)))
            remedy = "put it there or allow the download" if self.layout.address else "put it there"
            raise InputError(f"{file} of {self.name} is in none of {places}; {remedy}")
        return self._download(file)

    def _find(self, file: str) -> Path | None:
        paths = (folder / (file + suffix) for folder in self.folders for suffix in UNPACK)
        return next((path for path in paths if path.is_file()), None)

    def _unpack(self, archive: Archive, packed: bytes, file: str, what: str) -> bytes:
        self._members = unpack_archive(packed, archive, self.layout.md5, what)
        return self._members.pop(file)

    def _download(self, file: str) -> bytes:
        """Fetch the file or its archive, check it, and only then put it in the user's cache."""
        archive, cache = self.layout.archive, user_cache_path("hardwire") / self.name
        name = archive.name if archive else file + self.layout.suffix
        address = self.layout.address + name
        packed = _fetch(address, cache)
        if archive:
            content = self._unpack(archive, packed, file, address)
        else:
            content = checked(packed, self.layout.suffix, self.layout.md5[file], address)
        write_bytes(cache / name, packed)
        return content


def unpack_archive(packed: bytes, archive: Archive, files: Iterable[str], what: str) -> dict[str, bytes]:
    """Check an archive and return the content of ``files``, by name.

    Raises
    ------
    FormatError
        Where the archive is not the published one; ``what`` names it.
    """
    checked(packed, "", archive.md5, what)
    wanted = {f"{archive.folder}/{file}": file for file in files}
    members: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
            for member in tar:
                if member.name in wanted and (content := tar.extractfile(member)):
                    members[wanted[member.name]] = content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise FormatError(f"{what} is cut short or damaged; fetch the published file anew") from None
    missing = sorted(set(wanted.values()) - set(members))
    if missing:
        raise FormatError(f"{what} lacks {archive.folder}/{missing[0]}; fetch the published file anew")
    return members


def checked(packed: bytes, suffix: str, md5: str | None, what: str) -> bytes:
    """Unpack content by its file's suffix and check it.

    Parameters
    ----------
    packed : bytes
        The file as it lies there.
    suffix : str
        ``.gz``, ``.xz`` or empty.
    md5 : str, optional
        Checksum of the unpacked content, if one is published.
    what : str
        Names the file in an error.

    Raises
    ------
    FormatError
        Where the file is damaged or is another one.
    """
    try:
        content = UNPACK[suffix](packed)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        raise FormatError(f"{what} is cut short or damaged; fetch the published file anew") from None
    if md5 is None:
        return content
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if digest != md5:
        raise FormatError(f"{what} has MD5 {digest}, not the published {md5}; fetch the published file anew")
    return content


def _folders(name: str, layout: Layout, data_dir: str | os.PathLike[str] | None) -> list[Path]:
    """Where files of ``name`` may lie. A folder that the user names and that is missing is an error, not a fallback."""
    folders: list[Path] = []
    for what, given in (("data folder", data_dir), ("HARDWIRE_DATA", os.environ.get("HARDWIRE_DATA"))):
        if given:
            if not Path(given).is_dir():
                raise InputError(f"{what} {str(given)!r} is no folder; correct it or leave it out")
            folders += [*(Path(given) / inside for inside in (name, *layout.folders)), Path(given)]
    return [*folders, user_cache_path("hardwire") / name]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check its permissions") from None


def _fetch(address: str, folder: Path) -> bytes:
    log.info("downloading %s", address)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(f"cannot download {address} ({reason}); fetch it yourself and put it in {folder}") from None
