"""What each code of an FCS finding means. ``docs/findings.md`` is written from this table.

Codes are part of the interface: they are added, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FCS_CODES: Mapping[str, str] = MappingProxyType(
    {
        # the file
        "FCS_NOT_OPENED": "There is no such file, or this user may not read it.",
        "FCS_NOT_A_FILE": "The path is a folder, device or pipe.",
        "FCS_EMPTY": "The file has no bytes.",
        "FCS_NOT_FCS": "The file does not begin with FCS; what it is instead is said: a Git LFS pointer, an archive, …",
        "FCS_UNREADABLE": "An FCS file that cannot be read, for a reason that has no code of its own.",
        "BYTES_BEHIND": "Bytes behind the last segment belong to no segment and are no padding.",
        "DATASETS_SEVERAL": "The file holds more than one data set; one was read.",
        "DATASET_MISSING": "A data set was asked for that the file does not hold.",
        "NEXTDATA": "$NEXTDATA leads to no further data set.",
        "READERS_DIFFER": "FlowIO or fcsparser reads other events, names or values.",
        "DUPLICATE_CONTENT": "Two inputs have the same bytes, whatever their names or $FIL say.",
        "CRC_AGREES": "The check word behind the data set agrees with its bytes.",
        "CRC_DIFFERS": "The check word behind the data set does not agree with its bytes.",
        # HEADER
        "HEADER_TRUNCATED": "The file ends within the 58 bytes of the HEADER.",
        "HEADER_VERSION": "The version is none of FCS2.0, FCS3.0, FCS3.1, FCS3.2.",
        "HEADER_OFFSET": "An offset in HEADER is no number; what TEXT says was used.",
        # TEXT
        "TEXT_NOT_FOUND": "No TEXT stands where HEADER says.",
        "TEXT_TRUNCATED": "The file ends before or within TEXT.",
        "TEXT_BEGIN": "TEXT begins elsewhere than HEADER says; its first keyword shows where.",
        "TEXT_END": "TEXT ends elsewhere than HEADER says; its last keyword, or DATA, shows where.",
        "TEXT_ABSURD": "TEXT has more keywords than any file can need.",
        "TEXT_NO_FINAL_DELIMITER": "The last value is not followed by the delimiter.",
        "TEXT_EMPTY_VALUE": "Keywords have empty values, which the standard does not allow; they were read as empty.",
        "TEXT_DOUBLED_DELIMITER": "Doubled delimiters were read in the one way that puts the standard keywords right.",
        "TEXT_UNESCAPED_DELIMITER": "A value holds the delimiter undoubled, or is missing; the next keyword told.",
        "TEXT_LEFTOVER": "Bytes in TEXT make no keyword and value.",
        "TEXT_NOT_UTF8": "Values are neither ASCII nor UTF-8; they were read as Latin-1 (Windows-1252).",
        "SUPPLEMENTAL_TEXT": "The supplemental TEXT cannot be read; its keywords are lost.",
        "KEYWORD_REPEATED": "A keyword stands twice with different values; the first counts.",
        "OFFSET": "An offset in TEXT is no number.",
        "DECIMAL_COMMA": "A number has a decimal comma.",
        # keywords that fix the layout
        "MODE_HISTOGRAM": "$MODE is C or U: the file holds histograms, not events.",
        "MODE_UNKNOWN": "$MODE is none of L, C, U.",
        "MODE_MISSING": "$MODE is missing; the file was read as list mode.",
        "DATATYPE": "$DATATYPE or $PnDATATYPE is missing or none of I, F, D.",
        "BYTEORD": "$BYTEORD is missing, no order of bytes, or says nothing about values of this width.",
        "COUNT": "$TOT or $PAR is no count.",
        "PAR": "$PAR does not agree with the parameters that are described.",
        "PAR_MISSING": "$PAR is missing; the described parameters were counted.",
        "PAR_STALE": "More parameters are described than $PAR says; the size of DATA agrees with $PAR.",
        "BITS": "$PnB is missing or no width of an integer.",
        "BITS_OF_FLOAT": "$PnB does not agree with the type F or D, whose width is fixed.",
        "RANGE": "$PnR is missing or no range; for integers it says which bits count.",
        # keywords that fix names and scale
        "CHANNEL_UNNAMED": "$PnN is missing or empty; $PnS or the number stands in.",
        "CHANNEL_DUPLICATE": "Several channels have the same $PnN; they stay apart by position.",
        "AMPLIFICATION": "$PnE cannot be understood; the linear values of an integer channel are then refused.",
        "AMPLIFICATION_MISSING": "$PnE is missing; the channel counts as linear.",
        "AMPLIFICATION_OFFSET": "$PnE asks for logarithms with offset 0, which FCS 3.1 says to read as 1.",
        "AMPLIFICATION_OF_FLOAT": "$PnE asks for logarithms of floating-point values, which are always linear.",
        "GAIN": "$PnG is no gain, or 0, which counts as none.",
        "TIMESTEP": "$TIMESTEP is no time; Time stays in ticks.",
        "SCALE_UNUSABLE": "Linear values were asked for of a channel whose $PnE or $PnG cannot be understood.",
        # DATA: where, how much
        "DATA_OFFSETS_DISAGREE": "HEADER and TEXT disagree on where DATA lies; the evidence is in the message.",
        "DATA_BEGIN": "DATA does not begin where it is said to.",
        "DATA_END": "DATA does not end where it is said to; begin and $TOT agree with the file.",
        "DATA_PADDING": "DATA has bytes behind its last event.",
        "DATA_NOT_FOUND": "No offset of DATA can be used, and the sizes do not tell where it is.",
        "DATA_TRUNCATED": "The file ends before DATA does.",
        "DATA_PACKING": "Integers of odd width are packed in another way than $PnB says; the size of DATA tells.",
        "TOT_MISSING": "$TOT is missing; the size of DATA tells.",
        "TOT_TOO_LARGE": "$TOT says more events than DATA holds.",
        "TOT_TOO_SMALL": "$TOT says fewer events than DATA holds.",
        "NO_EVENTS": "The data set has no events.",
        "SEGMENTS_OVERLAP": "Another segment is said to lie inside DATA.",
        "ANALYSIS_OUTSIDE": "ANALYSIS is said to lie beyond the end of the file.",
        # DATA: what the values tell
        "DATA_CONTRADICTS": "The values make sense only if a keyword is wrong; which, and the evidence, are said.",
        "DATA_BROKEN": "The events are in order up to some event only: bytes were lost or put in.",
        "TIME_FALLS": "Time goes back again and again: the events are not in the order in which they came.",
        "DATA_IMPLAUSIBLE": "The values do not look like measurements in any way of reading them.",
        "DATA_COPIED_AS_TEXT": "The bytes show that the file was copied or saved as text.",
        "DATA_CONSTANT": "The last events, or all, are one byte repeated, as an interrupted copy leaves.",
        "DATA_BLOCK_LOST": "A block inside DATA is one byte repeated, over whole events and their time.",
        "VALUES_NOT_FINITE": "A channel has values that are NaN or infinite; they were kept.",
        "VALUES_MASKED": "Integers have bits above $PnR, which were masked off.",
        # the acquisition matrix
        "SPILLOVER_MALFORMED": "The matrix cannot be understood; it is refused where it is used.",
        "SPILLOVER_SEVERAL": "Two keywords hold different matrices.",
        "SPILLOVER_MATCHED": "The matrix names a channel by its marker, number or in other letters.",
        "SPILLOVER_UNKNOWN_CHANNEL": "The matrix names a channel that the file does not have.",
        "SPILLOVER_DUPLICATE_CHANNEL": "The matrix names a channel more than once.",
        "SPILLOVER_DIAGONAL": "The matrix's diagonal is not 1.",
        "SPILLOVER_SINGULAR": "The matrix cannot be inverted.",
    }
)
