"""Open a file, make sure that it can be an FCS file, and map its bytes."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cytometry.errors import RequestError
from cytometry.io.fcs.ledger import Ledger, shown

HEADER_LENGTH = 58
_HASH_CHUNK = 1 << 20
_SNIFFED = 2048

_EXPORT = "give the FCS file that the instrument's software exported"
_UNPACK = "unpack it first and give the FCS file inside"

# What arrives under the name of an FCS file, by its first bytes.
_DISGUISES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the data", "fetch the real file with 'git lfs pull'"),
    (b"/annex/objects/", "a git-annex pointer, not the data", "fetch the real file with 'git annex get'"),
    (b"../.git/annex/", "a git-annex pointer, not the data", "fetch the real file with 'git annex get'"),
    (b"\x1f\x8b", "gzip-compressed", "unpack it first, with 'gunzip'"),
    (b"PK\x03\x04", "a zip archive (or an ACS container or Office document)", _UNPACK),
    (b"PK\x05\x06", "an empty zip archive", _EXPORT),
    (b"BZh", "bzip2-compressed", "unpack it first, with 'bunzip2'"),
    (b"\xfd7zXZ\x00", "xz-compressed", "unpack it first, with 'unxz'"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "unpack it first, with 'unzstd'"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x1f\x9d", "compress-ed (.Z)", "unpack it first, with 'uncompress'"),
    (b"\x04\x22\x4d\x18", "lz4-compressed", "unpack it first, with 'unlz4'"),
    (b"\x89HDF", "an HDF5 file (h5ad, h5)", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"ARROW1", "an Arrow file", _EXPORT),
    (b"%PDF", "a PDF document", _EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old Office document", _EXPORT),
    (b"\x89PNG", "a PNG picture", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture", _EXPORT),
    (b"GIF8", "a GIF picture", _EXPORT),
    (b"II*\x00", "a TIFF picture", _EXPORT),
    (b"MM\x00*", "a TIFF picture", _EXPORT),
    (b"\x7fELF", "a program", _EXPORT),
    (b"SQLite format 3", "an SQLite database", _EXPORT),
    (b"\x93NUMPY", "a NumPy array", _EXPORT),
    (b"RDX", "an R data file", _EXPORT),
    (b"{\\rtf", "an RTF document", _EXPORT),
)
_TEXT_DISGUISES: tuple[tuple[bytes, str, str], ...] = (
    (b"<!doctype html", "an HTML page, perhaps of a login or error", "download the file again, logged in"),
    (b"<html", "an HTML page, perhaps of a login or error", "download the file again, logged in"),
    (b"<?xml", "an XML document (a workspace or gating file?)", _EXPORT),
    (b"<", "a marked-up text", _EXPORT),
    (b"{", "a JSON text", _EXPORT),
)


@dataclass(frozen=True, eq=False)
class Source:
    """The mapped bytes of one file.

    Parameters
    ----------
    file
        As the user named it.
    size
        In bytes.
    data
        The mapping; reading it brings in only the pages that are touched.
    """

    file: str
    size: int
    data: mmap.mmap

    def sha256(self) -> str:
        """Hash of the bytes, lower-case hex: the file's identity."""
        digest = hashlib.sha256()
        with memoryview(self.data) as view:
            for begin in range(0, self.size, _HASH_CHUNK):
                digest.update(view[begin : begin + _HASH_CHUNK])
        return digest.hexdigest()

    def forget(self, begin: int, end: int) -> None:
        """Let go of the memory behind bytes that were read; they come from the file again if asked for.

        A mapped file counts as this process's memory as far as it was looked at.
        Who goes through it once, from front to back, need not hold it whole.
        """
        if not hasattr(self.data, "madvise"):  # not on every system
            return
        page = mmap.PAGESIZE
        first, last = begin // page * page, end // page * page
        if last > first:
            self.data.madvise(mmap.MADV_DONTNEED, first, last - first)


def file_name(path: str | os.PathLike[str]) -> str:
    """The path as the user gave it.

    Raises
    ------
    RequestError
        It is no path.
    """
    try:
        return os.fsdecode(os.fspath(path))
    except TypeError as error:
        raise RequestError(
            f"{type(path).__name__} is not a path", where="path", hint="give a str or pathlib.Path"
        ) from error


def open_source(file: str, ledger: Ledger) -> Source:
    """Map a file that begins like FCS.

    Raises
    ------
    FcsError
        There is no such file, it cannot be opened, it is no regular file, it
        is empty, or it is something else than FCS: the message says what.
    """
    try:
        # Opening a named pipe would wait for a writer, for ever.
        status = Path(file).stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
            ledger.refuse(
                "FCS_NOT_A_FILE",
                f"is {kind}, not a file",
                found=kind,
                expected="a regular file",
                fix="give FCS files; folders are searched by 'gate' and 'run'",
            )
        if status.st_size == 0:
            ledger.refuse(
                "FCS_EMPTY",
                "has 0 bytes",
                found="0 bytes",
                expected="at least the 58 bytes of a HEADER",
                fix="copy the file again from the instrument",
            )
        with Path(file).open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        ledger.refuse(
            "FCS_NOT_OPENED",
            f"cannot be opened: {reason}",
            found=str(reason),
            expected="a file that this user may read",
            fix="check the path, its permissions and, for a link, its target",
        )
    source = Source(file=file, size=len(mapped), data=mapped)
    _refuse_disguise(source, ledger)
    return source


def _refuse_disguise(source: Source, ledger: Ledger) -> None:
    """Say what a file is that does not begin with ``FCS``."""
    head = bytes(source.data[:_SNIFFED])
    if head[:3] == b"FCS":
        return
    what, fix = _looks_like(head)
    ledger.refuse(
        "FCS_NOT_FCS",
        f"is not an FCS file: {what}",
        segment="HEADER",
        byte_range=(0, min(source.size, 6) - 1),
        found=shown(head[:16].decode("latin-1")),
        expected="'FCS2.0', 'FCS3.0', 'FCS3.1' or 'FCS3.2' in the first six bytes",
        fix=fix,
    )


def _looks_like(head: bytes) -> tuple[str, str]:
    for magic, what, fix in _DISGUISES:
        if head.startswith(magic):
            return f"it is {what}", fix
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, what, fix in _TEXT_DISGUISES:
        if lowered.startswith(magic):
            return f"it is {what}", fix
    if not head.strip(b"\0"):
        return "it begins with zeros, as an interrupted copy does", "copy the file again from the instrument"
    position = head.find(b"FCS")
    if position > 0 and head[position + 3 : position + 4].isdigit():
        return (
            f"'FCS' stands only at byte {position}; something was put before it",
            f"take away the first {position} bytes, or copy the file again in binary mode",
        )
    if head[:4] in (b"F\0C\0", b"\xff\xfeF\0") or head[:2] == b"\xfe\xff":
        return "it was saved as UTF-16 text, which destroys FCS", "copy the file again in binary mode"
    if head[:3].upper() == b"FCS":
        return "'FCS' is not in capitals", "copy the file again; its first bytes were changed"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head[:256]):
        return "it is plain text", _EXPORT
    return "its first bytes are not 'FCS'", _EXPORT
