"""Evaluate the If-... and Range fields of a request for a file, with pure functions.
条件：请求里的 If-... 和 Range 字段对文件提出的要求；全是纯函数。
"""
import math
import re
from datetime import datetime, timezone

from httpd.request import Refusal

# A range can be bytes=0-99, bytes=100- (from byte 100 on), or bytes=-5 (the last five bytes).
RANGE = re.compile(r"bytes=[ \t]*(\d{0,99})-(\d{0,99})[ \t]*", re.ASCII | re.IGNORECASE)
ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')

# A date has one of three forms (RFC 9110, 5.6.7): the current form, or one of two obsolete forms.
DAY, WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
MONTH = f"(?P<month>{'|'.join(MONTHS)})"
TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
DATES = [re.compile(form, re.ASCII) for form in (
    # Sun, 06 Nov 1994 08:49:37 GMT
    rf"{DAY}, (?P<day>\d\d) {MONTH} (?P<year>\d{{4}}) {TIME} GMT",
    # Sunday, 06-Nov-94 08:49:37 GMT
    rf"{WEEKDAY}, (?P<day>\d\d)-{MONTH}-(?P<year>\d\d) {TIME} GMT",
    # Sun Nov  6 08:49:37 1994
    rf"{DAY} {MONTH} (?P<day>\d\d| \d) {TIME} (?P<year>\d{{4}})")]


def preconditions(headers, file):
    """Return the status that the If-... fields call for: 200, 304 or 412 (RFC 9110, 13.2.2).

    headers: the fields of the request.  file: the File that the request asks for.
    """
    tag, changed = file.tag, int(file.st.st_mtime)
    if "if-match" in headers:
        is_listed = not tag.startswith("W/") and tag in ENTITY_TAG.findall(headers["if-match"])
        if headers["if-match"] != "*" and not is_listed:
            return 412
    elif changed > parse_date(headers.get("if-unmodified-since")):
        return 412
    if "if-none-match" in headers:
        tags = [one.removeprefix("W/") for one in ENTITY_TAG.findall(headers["if-none-match"])]
        is_known = headers["if-none-match"] == "*" or tag.removeprefix("W/") in tags
    else:
        is_known = changed <= parse_date(headers.get("if-modified-since"))
    return 304 if is_known else 200


def parse_date(text):
    """Return a date as seconds since 1970. Return NaN if text is None or is not a date.

    NaN is neither before nor after any date, so a field with a malformed date has no effect.
    """
    match = next(filter(None, (form.fullmatch(text or "") for form in DATES)), None)
    if not match:
        return math.nan
    year, month = int(match["year"]), MONTHS.index(match["month"]) + 1
    if len(match["year"]) == 2:
        # Choose the latest century that puts the date at most 50 years in the future.
        latest = datetime.now(timezone.utc).year + 50
        year += (latest - year) // 100 * 100
    try:
        return datetime(year, month, *map(int, match.group("day", "hour", "minute", "second")),
                        tzinfo=timezone.utc).timestamp()
    except ValueError:
        # There is no such day or time, for example June 31.
        return math.nan


def is_same_version(validator, file):
    """Return whether the value of If-Range (an ETag or a date) fits the file (RFC 9110, 13.1.5).

    A date fits only if it equals both st_mtime and st_ctime. Programs such as cp -p and rsync can
    give new content an old st_mtime, but not an old st_ctime. A file that has changed within the
    last second never fits.
    """
    if file.tag.startswith("W/"):
        return False
    changed, touched = int(file.st.st_mtime), int(file.st.st_ctime)
    return validator == file.tag or parse_date(validator) == changed == touched


def byte_range(headers, file):
    """Return (start, end) of the bytes that the Range field asks for (RFC 9110, section 14).

    The byte at `end` is not included. Return None if the client must get the complete file.
    Raises Refusal if the file has no bytes in the range, or if the range is malformed (RFC 9110,
    15.5.17).
    """
    field, size = headers.get("range", ""), len(file.body)
    # Send the complete file if there is no Range field, if its unit is not bytes, or if it asks for
    # several ranges, which a server need not support.
    if not field.lower().startswith("bytes=") or "," in field:
        return None
    if "if-range" in headers and not is_same_version(headers["if-range"], file):
        return None
    match = RANGE.fullmatch(field)
    first, last = match.groups() if match else ("", "")
    start = int(first) if first else max(0, size - int(last or 0))
    end = min(size, int(last) + 1) if first and last else size
    # start >= end means that the range is malformed, ends before it begins, or begins after the end
    # of the file.
    if start >= end:
        raise Refusal(416, "The file has no bytes in this range",
                      f"Content-Range: bytes */{size}\r\n")
    return start, end
