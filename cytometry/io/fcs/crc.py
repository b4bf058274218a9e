"""The check word that may stand behind a data set.

FCS 3.0 and 3.1, section 3.6: sixteen bits by the CCITT polynomial over all
bytes from HEADER to the last segment, eight ASCII characters; ``00000000``
where it was not computed, as nearly always. The standard leaves the first value
and the base of the digits open, so both of each are tried.
"""

from __future__ import annotations

import binascii
import re

from cytometry.io.fcs.ledger import Ledger
from cytometry.io.fcs.source import Source

CRC_LENGTH = 8
_CHUNK = 1 << 20
_STARTS = (0, 0xFFFF)


def check_crc(source: Source, extent: tuple[int, int], last_byte: int, ledger: Ledger) -> None:
    """Compare the check word with the bytes, if there is one."""
    base, limit = extent
    end = last_byte + 1
    text = bytes(source.data[end : min(end + CRC_LENGTH, limit)])
    if not re.fullmatch(rb" *[0-9A-Fa-f]+ *", text) or len(text) < CRC_LENGTH or not text.strip(b" 0"):
        return
    wanted = {int(text, 16)} | ({int(text)} if text.strip().isdigit() else set())
    computed = [_crc(source, base, end, start) for start in _STARTS]
    if wanted & set(computed):
        ledger.info(
            "CRC_AGREES",
            "the check word behind the data set agrees with its bytes",
            segment="CRC",
            byte_range=(end, end + CRC_LENGTH - 1),
            found=text.decode("ascii"),
            fix="nothing to do",
        )
        return
    ledger.warn(
        "CRC_DIFFERS",
        f"the check word (CRC) behind the data set is {text.decode('ascii')}; its bytes give "
        f"{' or '.join(f'{c:08d}' for c in computed)}",
        segment="CRC",
        byte_range=(end, end + CRC_LENGTH - 1),
        found=text.decode("ascii"),
        expected=" or ".join(f"{c:08d}" for c in computed),
        fix="a byte may have changed since the instrument wrote the file: compare it with the original",
    )


def _crc(source: Source, begin: int, end: int, start: int) -> int:
    value = start
    for at in range(begin, end, _CHUNK):
        value = binascii.crc_hqx(bytes(source.data[at : min(at + _CHUNK, end)]), value)
    return value
