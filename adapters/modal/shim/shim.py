"""Runs a command and masks secrets in its output before a byte leaves the container.

nopeek starts this program as the command of a sandbox, around the user's command; boot.py comes
first. The platform puts secrets into the environment; the launcher may never have seen them. This
program

1. starts the command with the declared variables and an allow-list, and nothing else,
2. masks every form of every declared value in both streams, byte for byte otherwise,
3. tells the launcher what it masked in records on stderr, with a MAC, without a value.

The forms and the rules of masking are those of nopeek's TypeScript engine; shared tests hold the
two together. Python 3.8 or later, standard library only.
"""

import binascii
import collections
import errno
import hmac
import json
import math
import operator
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from array import array
from bisect import bisect_right

# --- Which values are no secrets (src/secrets/plain.ts) -------------------------------------------

MIN_SECRET_BYTES = 8
MIN_MASKED_BYTES = 4

# What JavaScript calls white space; Python's own idea of it differs.
JS_SPACE = (
    "\t\n\x0b\x0c\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

I, S = re.IGNORECASE | re.ASCII, re.ASCII
# What ordinary configuration values look like. Each pattern matches the whole value.
COMMON_VALUES = [
    re.compile(pattern, flags)
    for flags, pattern in [
        (S, r"[\t-\r \xa0]*"),
        (
            I,
            r"[+-]?\d[\d_]{0,14}(?:\.\d{0,15})?(?:e[+-]?\d{1,3})?"
            r"(?:[kmgt]i?b?|%|ms|s|m|h|d)?",
        ),
        (I, r"true|false|yes|no|on|off|enabled|disabled|none|null|undefined"),
        (
            I,
            r"test|testing|example|sample|default|localhost|development|production|staging|password"
            r"|changeme|change-me|secret|root|admin|administrator|postgres|username|anonymous|info"
            r"|debug|warning|error|trace|verbose|training|validation",
        ),
        (re.DOTALL, r"(.)\1*"),
        (
            S,
            r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west"
            r"|central)+-\d[a-z]?",
        ),
        (
            S,
            r"(?:us|europe|asia|australia|northamerica|southamerica|me|africa)-(?:north|south|east"
            r"|west|central)+\d{1,2}(?:-[a-f])?",
        ),
        (S, r"(?:north|south|east|west|central){1,2}(?:us|europe|asia|india)\d?"),
        (
            S,
            r"(?:uk|france|germany|norway|japan|korea|australia|canada|brazil|switzerland|uae)"
            r"(?:north|south|east|west|central){1,2}\d?",
        ),
        (
            S,
            r"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Etc|Indian|Pacific)"
            r"/[\w/+-]+",
        ),
        (S, r"[a-z]{2,3}_[A-Z]{2}(?:\.[\w-]+)?"),
        (S, r"(?:~|\.{1,2})?(?:/[a-z0-9._-]+)+/?"),
        (
            S,
            r"(?:~|\.{1,2}|/(?:data|etc|home|mnt|opt|root|srv|tmp|usr|var|Users))(?:/[\w. -]+)+/?",
        ),
        (
            I,
            r"[a-z][a-z0-9+.-]*://[\w.:[\]-]+(?![^\n\r]*[a-z0-9]{16}"
            r"|[^\n\r]*[0-9a-f]{8}-[0-9a-f]{4}-)(?:/[\w.~/-]*)?",
        ),
        (S, r"(?:localhost|redis|postgres|mysql|db|(?:[a-z0-9-]+\.)+[a-z0-9-]+):\d{1,5}"),
        (I, r"(?:cuda|cpu|mps|gpu)(?::\d+)?"),
    ]
]


def is_plain(value):
    """Whether bytes are too short or too common to be a secret."""
    text = value.decode("latin-1")
    if len(text) <= 200 and any(pattern.fullmatch(text) for pattern in COMMON_VALUES):
        return True
    return len(text) < MIN_SECRET_BYTES


# --- Encodings (src/detect/encodings.ts) ----------------------------------------------------------


def b64(data):
    return binascii.b2a_base64(data, newline=False).decode("ascii")


BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SEXTETS = {byte: bits for bits, byte in enumerate(BASE64)}
SEXTETS.update({ord("-"): 62, ord("_"): 63})

# Six bits of which some are known: a character whose others belong to what stands beside the value.
KnownBits = collections.namedtuple("KnownBits", "mask bits")
# Base64 that depends on the value alone, and the characters beside it that hold some of its bits.
Base64Core = collections.namedtuple("Base64Core", "text before after")


def base64_cores(data):
    """At the three alignments that the value can have inside longer data."""
    for shift in range(3):
        text = b64(b"\0" * shift + data)
        first, end = -(-shift * 8 // 6), (shift + len(data)) * 8 // 6
        bits_before = first * 6 - shift * 8
        bits_after = (shift + len(data)) * 8 - end * 6
        yield Base64Core(
            text[first:end],
            known_bits(text[first - 1], (1 << bits_before) - 1) if bits_before else None,
            known_bits(text[end], 63 & ~(63 >> bits_after)) if bits_after else None,
        )


def known_bits(character, mask):
    return KnownBits(mask, SEXTETS[ord(character)] & mask)


def agrees(byte, known):
    """Whether a byte is a character of base64 with these bits."""
    return byte in SEXTETS and SEXTETS[byte] & known.mask == known.bits


def base64url_cores(data):
    for core in base64_cores(data):
        yield core._replace(text=core.text.replace("+", "-").replace("/", "_"))


def utf16_variants(text):
    """Without the last zero byte: so it is found in both byte orders."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [data[:-1] if data.endswith(b"\0") else data]


def byte_lists(data):
    """Lists of byte values: `104,117`, and of short values `68:75`, `68 75`, `104, 117`, `"0":104`."""
    decimal = [str(byte) for byte in data]
    yield ",".join(decimal)
    if len(data) > MAX_MANY_LISTS_BYTES:
        return
    hex_bytes = ["%02x" % byte for byte in data]
    yield ":".join(hex_bytes)
    yield ":".join(hex_bytes).upper()
    yield " ".join(hex_bytes)
    yield ", ".join(decimal)
    yield ",".join('"%d":%s' % pair for pair in enumerate(decimal))


def base64_lines(data):
    """In lines of 64 (PEM, openssl) or 76 characters (MIME)."""
    text = b64(data)
    for width in (64, 76):
        if len(text) > width:
            lines = [text[at : at + width] for at in range(0, len(text), width)]
            yield "\n".join(lines)
            yield "\r\n".join(lines)


def hex_variants(data):
    text = data.hex()
    yield text
    yield text.upper()


ALPHANUMERIC = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
RFC3986 = ALPHANUMERIC + b"-_.~"
# What each encoder leaves as it is, in the order of the TypeScript table.
PERCENT_SAFE = [
    RFC3986,
    ALPHANUMERIC + b"-_.~!'()*",
    ALPHANUMERIC + b"-_.~!'()*;/?:@&=+$,#",
    ALPHANUMERIC + b"-_.~/",
    ALPHANUMERIC + b"-_.*",
    ALPHANUMERIC + b"-_.~!$%&'()*+,",
    ALPHANUMERIC + b"-_.~!$%&()*+,/:;=?@[\\]^`{|}",
    ALPHANUMERIC + b"@*_+-./",
]


PERCENT_TABLES = [
    [chr(byte) if byte in safe else "%%%02X" % byte for byte in range(256)] for safe in PERCENT_SAFE
]


def percent_encode(data, table):
    return "".join([table[byte] for byte in data])


def lower_hex(text):
    return re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), text)


def percent_variants(data):
    """As the encoders do it, and twice by the same one."""
    twice = {}
    for safe, table in zip(PERCENT_SAFE, PERCENT_TABLES):
        upper = percent_encode(data, table)
        for text, plus in ((upper, "%2B"), (lower_hex(upper), "%2b")):
            form = text.replace("%20", "+")
            yield text
            yield form
            if b"%" not in safe:
                twice[text.replace("%", "%25")] = None
                again = form.replace("%", "%25")
                twice[again if b"+" in safe else again.replace("+", plus)] = None
    yield from twice


def percent_base64(data):
    """Base64 in a query: its +, / and = are encoded."""
    yield from percent_and_lower(b64(data))
    for core in base64_cores(data):
        for text in percent_and_lower(core.text):
            yield core._replace(text=text)


def percent_and_lower(text):
    upper = percent_encode(text.encode("ascii"), PERCENT_TABLES[0])
    return upper, lower_hex(upper)


def utf16_units(text):
    """The code units that JavaScript counts in: two for a character beyond U+FFFF."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [data[at] | data[at + 1] << 8 for at in range(0, len(data), 2)]


def legacy_escape(text):
    """JavaScript's escape()."""
    safe = ALPHANUMERIC + b"@*_+-./"
    return "".join(
        chr(unit)
        if unit < 0x80 and unit in safe
        else ("%%%02X" if unit <= 0xFF else "%%u%04X") % unit
        for unit in utf16_units(text)
    )


def in_json(text):
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    return re.sub("[\ud800-\udfff]", lambda lone: "\\u%04x" % ord(lone.group()), body)


def escape_non_ascii(text, pattern="\\u%04x"):
    return "".join(
        chr(unit) if unit < 0x7F else pattern % unit for unit in utf16_units(text)
    )


CONTROLS = re.compile(r"[\0-\x1f\x7f]")
NOT_PRINTABLE_BYTES = re.compile(r"[\0-\x1f\x7f-\xff]")
NAMED_CONTROLS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_controls(text, escaped):
    return escaped.sub(
        lambda match: NAMED_CONTROLS.get(match.group(), "\\x%02x" % ord(match.group())),
        text.replace("\\", "\\\\"),
    )


def reprs(text, escaped):
    """Python's repr() of it, with either quote escaped."""
    body = escape_controls(text, escaped)
    return [body, body.replace("'", "\\'"), body.replace('"', '\\"')]


def json_variants(text):
    plain = in_json(text)
    ascii_only = escape_non_ascii(plain)
    return [
        plain,
        ascii_only,
        escape_non_ascii(plain, "\\u%04X"),
        plain.replace("/", "\\/"),
        ascii_only.replace("/", "\\/"),
        re.sub("[&<>]", lambda match: "\\u%04x" % ord(match.group()), plain),
        in_json(plain),
        in_json(ascii_only),
        in_json(in_json(plain)),
        in_json(in_json(ascii_only)),
        *reprs(plain, CONTROLS),
        *reprs(ascii_only, CONTROLS),
    ]


def python_escape(match):
    code = ord(match.group())
    if code <= 0xFF:
        return "\\x%02x" % code
    return ("\\u%04x" if code <= 0xFFFF else "\\U%08x") % code


def python_variants(data, text):
    yield from reprs(data.decode("latin-1"), NOT_PRINTABLE_BYTES)
    if text is not None:
        yield from reprs(text, CONTROLS)
        for body in reprs(text, CONTROLS):
            yield in_json(body)
            yield escape_non_ascii(in_json(body))
        body = re.sub("[\x80-\U0010ffff]", python_escape, escape_controls(text, CONTROLS))
        yield body
        yield body.replace("'", "\\'")


def shell_variants(text):
    dollar_quoted = (
        re.sub(r"[\\']", r"\\\g<0>", text)
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    )
    return [
        text.replace("'", "'\\''"),
        text.replace("'", "'\"'\"'"),
        re.sub(r'["\\$`]', r"\\\g<0>", text),
        re.sub(r'["\\$`!]', r"\\\g<0>", text),
        re.sub("[^A-Za-z0-9_.,:@%/+=\x80-\U0010ffff-]", r"\\\g<0>", text),
        dollar_quoted,
        re.sub(
            "[\x80-\U0010ffff]",
            lambda match: "".join("\\%o" % byte for byte in to_bytes(match.group())),
            dollar_quoted,
        ),
    ]


def html_variants(text):
    body = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield body
    for double in ("&quot;", "&#34;"):
        for single in ("'", "&#39;", "&#x27;", "&apos;"):
            yield body.replace('"', double).replace("'", single)


def to_bytes(variant):
    """UTF-8; a lone surrogate becomes U+FFFD, as JavaScript writes it."""
    if isinstance(variant, bytes):
        return variant
    return re.sub("[\ud800-\udfff]", "\ufffd", variant).encode("utf-8")


# --- Forms of a value (src/detect/forms.ts) -------------------------------------------------------

MIN_STRONG_BYTES = 12
MIN_STRONG_BITS_PER_BYTE = 3
MIN_ENCODED_VALUE_BYTES = 6
MIN_LINE_BYTES = 12
MIN_LEAF_BYTES = 8
MAX_FULL_BYTES = 64 * 1024
FORMS_OF_LARGE = ("raw", "base64", "json", "line")
MAX_MANY_LISTS_BYTES = 256
MAX_LISTED_BYTES = 4096
MAX_LEAVES = 1000
MAX_WRAPPED_BLANKS = 16

# `before` and `after` are known bits of the base64 characters beside it, or None.
Needle = collections.namedtuple("Needle", "bytes form strong name mask before after")


def of_text(variants):
    return lambda data, text: () if text is None else variants(text)


def raw_variants(data, text):
    if text is None:
        return [data]
    if not re.search("[\r\n]", text):
        return [text] + word_wrapped(text)
    parts = re.split("\r*\n", text)
    return [text] + [separator.join(parts) for separator in ("\n", "\r\n", " ", "")]


def word_wrapped(text):
    """A line break in place of a blank: the unwrapped view has neither."""
    blanks = [at for at, character in enumerate(text) if character == " "]
    if len(blanks) > MAX_WRAPPED_BLANKS:
        return []
    return [text[:at] + text[at + 1 :] for at in blanks]


def all_percent_variants(data, text):
    yield from percent_variants(data)
    yield from percent_base64(data)
    if text is not None:
        yield legacy_escape(text)


def line_variants(text):
    if not re.search("[\r\n]", text):
        return []
    lines = [line.strip(JS_SPACE) for line in re.split("[\r\n]+", text)]
    return [
        line
        for line in lines
        if is_telling(line, MIN_LINE_BYTES) and not re.match("-----(?:BEGIN|END) ", line)
    ]


def leaf_variants(text):
    for leaf in json_leaves(text) + credential_parts(text):
        for data, stripped in without_edges(to_bytes(leaf), leaf):
            for _, variants in WHOLE_FORMS:
                yield from variants(data, stripped)
        # A document that is written anew and encoded holds the leaf as JSON wrote it.
        escaped = in_json(leaf)
        if escaped != leaf:
            yield from base64_cores(to_bytes(escaped))
        yield from line_variants(leaf)


WHOLE_FORMS = [
    ("raw", raw_variants),
    ("base64", lambda data, text: base64_cores(data)),
    ("base64url", lambda data, text: base64url_cores(data)),
    ("base64-lines", lambda data, text: base64_lines(data)),
    ("hex", lambda data, text: hex_variants(data)),
    ("percent", all_percent_variants),
    ("json", of_text(json_variants)),
    ("python", python_variants),
    ("shell", of_text(shell_variants)),
    ("html", of_text(html_variants)),
    ("utf16", of_text(utf16_variants)),
    ("bytes", lambda data, text: byte_lists(data) if len(data) <= MAX_LISTED_BYTES else ()),
]
PART_FORMS = [("line", of_text(line_variants)), ("leaf", of_text(leaf_variants))]


def needles_of(value, name):
    """Every form of a value, as the bytes to look for, without duplicates."""
    mask = b"[REDACTED:" + name.encode("ascii") + b"]"
    text = decoded(value)
    found = {}

    def add(forms, data, text, strong):
        for form, variants in forms_for(forms, data):
            for variant in variants(data, text):
                is_core = isinstance(variant, Base64Core)
                core = variant if is_core else Base64Core(variant, None, None)
                form_bytes = to_bytes(core.text)
                if is_mask_worthy(form_bytes):
                    needle = Needle(form_bytes, form, strong, name, mask, *core[1:])
                    found.setdefault(form_bytes, needle)

    for data, stripped in without_edges(value, text):
        add(WHOLE_FORMS, data, stripped, is_strong(data))
    add(PART_FORMS, value, text, False)
    return list(found.values())


def is_mask_worthy(data):
    return len(data) >= MIN_MASKED_BYTES and bool(data.decode("latin-1").strip(JS_SPACE))


def forms_for(forms, data):
    if len(data) < MIN_ENCODED_VALUE_BYTES:
        return [form for form in forms if form[0] == "raw"]
    if len(data) > MAX_FULL_BYTES:
        return [form for form in forms if form[0] in FORMS_OF_LARGE]
    return forms


def decoded(value):
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def without_edges(value, text):
    """The value, and what is left of it without blanks at its edges."""
    if text is None:
        return [(value, None)]
    texts = [text]
    for stripped in (text.rstrip(JS_SPACE), text.strip(JS_SPACE)):
        if stripped not in texts and len(to_bytes(stripped)) >= MIN_LEAF_BYTES:
            texts.append(stripped)
    return [(to_bytes(each), each) for each in texts]


def is_strong(data):
    """At least 12 bytes and 3 bits of Shannon entropy a byte."""
    if len(data) < MIN_STRONG_BYTES:
        return False
    bits = 0.0
    for count in collections.Counter(data).values():
        bits -= count / len(data) * math.log2(count / len(data))
    return bits >= MIN_STRONG_BITS_PER_BYTE


JSON_STRING = re.compile(r'"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"')
PUBLIC_KEYS = re.compile(r"type|project_id|client_email|.*_uri|.*_url")


def json_leaves(text):
    if not re.match(r"[%s]*[\[{]" % JS_SPACE, text):
        return []
    try:
        document = json.loads(
            text, parse_int=ignore_number, parse_float=ignore_number, parse_constant=refuse_constant
        )
    except RecursionError:
        # Nested deeper than Python reads: every string in it counts, also keys.
        document = [json.loads(each) for each in JSON_STRING.findall(text)]
    except ValueError:
        return []
    leaves, stack = [], [document]
    while stack and len(leaves) < MAX_LEAVES:
        node = stack.pop()
        if isinstance(node, str):
            if is_telling(node, MIN_LEAF_BYTES):
                leaves.append(node)
        elif isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            stack.extend(child for key, child in node.items() if not PUBLIC_KEYS.fullmatch(key))
    return leaves


def ignore_number(text):
    return 0


def refuse_constant(text):
    raise ValueError("not JSON")


def credential_parts(text):
    """The password or token of a URL, as written and decoded, and those of connection strings."""
    userinfo = re.match(
        r"[%s]*[a-z][a-z0-9+.-]*://([^%s/?#]+)@" % (JS_SPACE, JS_SPACE), text, I
    )
    written = userinfo.group(1) if userinfo else ""
    password = written.partition(":")[2] if ":" in written else written
    parts = [password]
    try:
        parts.append(percent_decode(password))
    except ValueError:
        pass  # Not percent-encoded: taken as written.
    parts.extend(re.findall(r"\b(?:password|pwd|accountkey)=([^;]+)", text, I))
    return [part for part in parts if is_telling(part, MIN_LEAF_BYTES)]


def percent_decode(text):
    """As decodeURIComponent does it: strictly."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise ValueError("malformed")
    return re.sub(
        "(?:%[0-9A-Fa-f]{2})+",
        lambda codes: bytes.fromhex(codes.group().replace("%", "")).decode("utf-8"),
        text,
    )


def is_telling(text, min_bytes):
    data = to_bytes(text)
    return len(data) >= min_bytes and not is_plain(data)


# --- Finding needles ------------------------------------------------------------------------------

# One pass over a buffer as machine words finds all needles at once: every occurrence of a needle of
# 15 bytes or more covers one aligned word of 8 bytes, whatever its place in the buffer. So a needle
# is filed under eight of its words, one for each place, and the words of a buffer are looked up in
# a set, which the interpreter does in C, at the same speed whatever the buffer holds. Needles of 7
# to 14 bytes do the same with words of 4 bytes; shorter ones are searched one by one.

MAX_WORD_OFFSET = 32
SHORT_TAIL = 192


class WordIndex:
    """Needles by the machine words that they hold."""

    def __init__(self, typecode, needles):
        self._typecode = typecode
        self._size = size = array(typecode).itemsize
        uses = collections.Counter(
            word for needle in needles for word in set(grams(needle.bytes, size))
        )
        self._filed = {}
        for needle in needles:
            words = list(grams(needle.bytes, size))
            for place in range(size):
                offset = min(range(place, len(words), size), key=lambda at: uses[words[at]])
                word = int.from_bytes(words[offset], sys.byteorder)
                self._filed.setdefault(word, []).append((offset, needle))
        self._words = frozenset(self._filed)

    def find(self, data, found):
        """Appends every occurrence as (start, end, needle)."""
        size = self._size
        words = array(self._typecode, data[: len(data) - len(data) % size])
        if self._words.isdisjoint(words):
            return
        for block in range(0, len(words), 256):
            some = words[block : block + 256]
            if not self._words.isdisjoint(some):
                for index, word in enumerate(some, block):
                    if word in self._filed:
                        self._verify(data, index * size, self._filed[word], found)

    @staticmethod
    def _verify(data, position, filed, found):
        for offset, needle in filed:
            start = position - offset
            if start >= 0 and data.startswith(needle.bytes, start):
                found.append((start, start + len(needle.bytes), needle))


def grams(data, size):
    limit = min(len(data) - size + 1, MAX_WORD_OFFSET)
    return (data[at : at + size] for at in range(limit))


class Finder:
    """Looks for a fixed set of needles."""

    def __init__(self, needles):
        unique = {}
        for needle in needles:
            unique.setdefault(needle.bytes, needle)
        needles = list(unique.values())
        self._long = indexes([n for n in needles if len(n.bytes) >= 15], "Q")
        self._medium = indexes([n for n in needles if 7 <= len(n.bytes) < 15], "I")
        self._short = [n for n in needles if len(n.bytes) < 7]
        self._beginnings = Beginnings(needles)
        known = {needle.before for needle in needles if needle.before}
        # Bytes that may stand before a match and belong to it.
        self.beside = frozenset(
            byte for byte in SEXTETS if any(agrees(byte, bits) for bits in known)
        )

    def find(self, data):
        """Every occurrence in the data, as (start, end, needle)."""
        found = []
        for index in self._long + self._medium:
            index.find(data, found)
        for needle in self._short:
            at = data.find(needle.bytes)
            while at >= 0:
                found.append((at, at + len(needle.bytes), needle))
                at = data.find(needle.bytes, at + 1)
        return found

    def live_start(self, data):
        """Where the longest suffix begins that may still become a needle; the length if none."""
        return next(self._beginnings.live(data), (len(data), 0))[0]

    def shown_limit(self, data, most):
        """How far a pause may show: of each suffix that is live at most a quarter of its needle."""
        shown = len(data)
        for start, shortest in self._beginnings.live(data):
            shown = min(shown, start + min(most, shortest // 4))
        return shown


def indexes(needles, typecode):
    return [WordIndex(typecode, needles)] if needles else []


class Beginnings:
    """Tells which suffixes of data are proper beginnings of needles."""

    def __init__(self, needles):
        self._longest = max((len(needle.bytes) for needle in needles), default=0)
        self._brief = {}
        self._by_four = {}
        self._far = set()
        for needle in needles:
            data = needle.bytes
            for length in range(1, 4):
                brief = data[:length]
                self._brief[brief] = min(len(data), self._brief.get(brief, len(data)))
            self._by_four.setdefault(data[:4], []).append(data)
            if len(data) > SHORT_TAIL:
                self._far.add(data[:8])

    def live(self, data):
        """The live suffixes, the longest first, as (start, length of the shortest such needle)."""
        end = len(data)
        near = max(0, end - SHORT_TAIL)
        far = max(0, end - self._longest + 1)
        candidates = self._far_starts(data, far, near) if far < near else []
        for start in candidates:
            yield from self._check(data, start)
        for start in range(max(near, far), end - 3):
            if data[start : start + 4] in self._by_four:
                yield from self._check(data, start)
        for start in range(max(near, far, end - 3), end):
            shortest = self._brief.get(data[start:])
            if shortest is not None:
                yield start, shortest

    def _far_starts(self, data, far, near):
        starts = set()
        for beginning in self._far:
            at = data.find(beginning, far, near + 7)
            while at >= 0:
                starts.add(at)
                at = data.find(beginning, at + 1, near + 7)
        return sorted(starts)

    def _check(self, data, start):
        suffix = data[start:]
        lengths = [
            len(each)
            for each in self._by_four[suffix[:4]]
            if len(each) > len(suffix) and each.startswith(suffix)
        ]
        if lengths:
            yield start, min(lengths)


# --- The unwrapped view (src/detect/unwrap.ts) ----------------------------------------------------

IN_TEXT, AFTER_BREAK, AFTER_ESCAPE, IN_SEQUENCE, IN_STRING, BEFORE_STRING_END, IN_ESCAPE = range(7)
MAX_GAP = 512

# Alternatives that begin with a literal: the search for them is fast.
BREAK = re.compile(
    rb"\\\n[\r\n \t]*|\\\r[\r\n \t]*|\n[\r\n \t]*|\r[\r\n \t]*"
)
# Whole sequences; a bare ESC stands for one whose end is not here yet.
ESCAPE = re.compile(
    rb"\x1b(?:\[[ -?]*(?:[@-~]|(?=[^ -~]))"
    rb"|[PX\]^_][^\x07\x1b]*(?:\x07|\x1b.)"
    rb"|[ -/]+[^ -/]"
    rb"|[^\[PX\]^_ -/])?",
    re.DOTALL,
)
# What is left out inside lines that hold no other sequences than ESC [.
IN_LINES = re.compile(rb"\\\r[\r \t]*|\r[\r \t]*|\x1b\[[ -?]*[@-~]?")
strip_indent = operator.methodcaller("lstrip", b" \t")


class Segment:
    """A part of the view that belongs together, and where its bytes stand in the stream."""

    def __init__(self):
        self._parts = []
        self._blocks = []
        self._runs = None
        self.length = 0

    @property
    def data(self):
        self._parts = [b"".join(self._parts)]
        return self._parts[0]

    def add(self, data, stream):
        """Adds bytes that stand together in the stream."""
        self._blocks.append((self.length, stream, None))
        self._parts.append(data)
        self.length += len(data)
        self._runs = None

    def add_lines(self, raw, kept, stream):
        """Adds what is kept of whole lines; where it stands is found out when it is asked for."""
        self._blocks.append((self.length, stream, raw))
        self._parts.extend(kept)
        self.length += sum(map(len, kept))
        self._runs = None

    def runs(self):
        """Where contiguous bytes begin: (offset in the view, offset in the stream)."""
        for view, stream, raw in self._blocks:
            if raw is None:
                yield view, stream
            else:
                for own, at in View(AFTER_BREAK).runs_of(raw, stream):
                    yield view + own, at

    def to_stream(self, view):
        """The offset in the stream of a byte of the view."""
        for start, stream, raw in reversed(self._blocks):
            if raw is not None:
                break
            if start <= view:
                return stream + view - start
        if self._runs is None:
            self._runs = list(self.runs())
        view_offset, stream = self._runs[max(0, bisect_right(self._runs, (view, math.inf)) - 1)]
        return stream + view - view_offset

    def tail(self, start):
        """The segment from an offset on."""
        rest = Segment()
        if start >= self.length:
            return rest
        data = self.data
        last = len(self._blocks)
        while last > 0 and self._blocks[last - 1][2] is None and self._blocks[last - 1][0] > start:
            last -= 1
        runs = [(view, stream) for view, stream, _ in self._blocks[last:]]
        if last > 0 and self._blocks[last - 1][2] is None:
            runs.insert(0, self._blocks[last - 1][:2])
        elif last > 0:
            runs = list(self.runs())
            runs = runs[max(0, bisect_right(runs, (start, math.inf)) - 1) :]
        for (view, stream), end in zip(runs, [view for view, _ in runs[1:]] + [self.length]):
            at = max(view, start)
            rest.add(data[at:end], stream + at - view)
        return rest


class View:
    """The stream without line breaks, indentation and terminal sequences."""

    def __init__(self, mode=IN_TEXT):
        self.segment = Segment()
        self._finished = []
        self._mode = mode
        self._gap = 0
        self._backslash = False

    @property
    def is_cut(self):
        """More than a gap was left out since the last kept byte: nothing continues it."""
        return self._gap > MAX_GAP

    def push(self, chunk, base):
        """Takes a chunk; gives the segments that ended in it. The open one is `segment`."""
        self._finished = []
        begin = chunk.find(b"\n") + 1
        if begin > 0:
            self._push_exactly(chunk[:begin], base)
            begin += self._push_lines(chunk, begin, base)
        self._push_exactly(chunk[begin:], base + begin)
        return self._finished

    def _push_lines(self, chunk, begin, base):
        """Takes lines together where that gives the same; tells how many bytes."""
        data = chunk[begin : chunk.rfind(b"\n") + 1]
        if self._mode != AFTER_BREAK or data.count(b"\x1b") != data.count(b"\x1b["):
            return 0
        lines = data.split(b"\n")
        kept = b"\n".join(map(strip_indent, lines)).replace(b"\\\n", b"\n")
        if b"\r" in kept or b"\x1b" in kept:
            kept = IN_LINES.sub(b"", kept)
        kept = kept.split(b"\n")
        gap, last, taken, seen = self._gap, 0, 0, 0
        for number, (line, rest) in enumerate(zip(lines, kept)):
            lost = len(line) + 1 - len(rest)
            gap += lost
            if gap > MAX_GAP:
                return 0
            if rest:
                last, taken, gap = number, seen, lost
            seen += len(line) + 1
        # The last line that is kept goes with what follows: its own gap must be known exactly.
        if taken > 0 and any(kept[:last]):
            self.segment.add_lines(data[:taken], kept[:last], base + begin)
            self._gap = 0
            return taken
        return 0

    def runs_of(self, raw, stream):
        """Where contiguous bytes of some lines begin, in the view and in the stream."""
        self._push_exactly(raw, stream)
        return self.segment.runs()

    def _push_exactly(self, chunk, base):
        """Takes a chunk piece by piece."""
        at = self._resume(chunk, base) if chunk else 0
        while at < len(chunk):
            match = ESCAPE.search(chunk, at)
            end = match.start() if match else len(chunk)
            if end > at:
                self._text(chunk[at:end], base + at, match is None)
            if match is None:
                break
            self._mode = IN_TEXT
            length = match.end() - end
            if length > 1 and self._gap + length <= MAX_GAP:
                self._gap += length
                at = match.end()
            else:
                self._mode = AFTER_ESCAPE
                self._gap += 1
                at = self._skip(chunk, end + 1)

    def _resume(self, chunk, base):
        """Goes on with what the last chunk left open; gives where text begins."""
        if self._backslash:
            self._backslash = False
            if chunk[0] in b"\r\n":
                self._gap += 1
            else:
                self._keep(b"\\", base - 1)
        if self._mode == IN_TEXT:
            return 0
        if self._mode != AFTER_BREAK:
            return self._skip(chunk, 0)
        blanks = len(chunk) - len(chunk.lstrip(b"\r\n \t"))
        self._gap += blanks
        if blanks < len(chunk):
            self._mode = IN_TEXT
        return blanks

    def _skip(self, chunk, at):
        """Leaves out the bytes of an escape sequence; gives where text begins."""
        while at < len(chunk) and self._mode != IN_TEXT:
            byte = chunk[at]
            following = IN_TEXT if self._gap > MAX_GAP else mode_after(self._mode, byte)
            if following is None:
                self._mode = IN_TEXT
                break
            self._mode = following
            self._gap += 1
            at += 1
        return at

    def _text(self, data, stream, is_last):
        """Takes bytes without terminal sequences; the last one of a chunk may be undecided."""
        if is_last and data.endswith(b"\\"):
            self._plain(data[:-1], stream)
            self._mode = IN_TEXT
            self._backslash = True
        else:
            self._plain(data, stream)

    def _plain(self, data, stream):
        at = 0
        for match in BREAK.finditer(data):
            if match.start() > at:
                self._keep(data[at : match.start()], stream + at)
            self._gap += match.end() - match.start()
            at = match.end()
        if at < len(data):
            self._keep(data[at:], stream + at)
        self._mode = IN_TEXT if at < len(data) else AFTER_BREAK

    def _keep(self, data, stream):
        if self._gap > MAX_GAP:
            self._finished.append(self.segment)
            self.segment = Segment()
        self._gap = 0
        self.segment.add(data, stream)


def mode_after(mode, byte):
    """What the next byte belongs to; None if this one is text again."""
    if mode == AFTER_ESCAPE:
        if byte == 0x5B:
            return IN_SEQUENCE
        if byte in b"PX]^_":
            return IN_STRING
        return IN_ESCAPE if 0x20 <= byte <= 0x2F else IN_TEXT
    if mode == IN_ESCAPE:
        return IN_ESCAPE if 0x20 <= byte <= 0x2F else IN_TEXT
    if mode == IN_SEQUENCE:
        if 0x40 <= byte <= 0x7E:
            return IN_TEXT
        return IN_SEQUENCE if 0x20 <= byte <= 0x3F else None
    if mode == IN_STRING:
        if byte == 0x1B:
            return BEFORE_STRING_END
        return IN_TEXT if byte == 0x07 else IN_STRING
    return IN_TEXT


# --- Masking a stream (src/redact/scanner.ts) -----------------------------------------------------

MIN_UNWRAPPED_BYTES = 8
MAX_SHOWN_AT_PAUSE = 4
# Behind base64: a character with some of the value's bits, and padding.
MAX_TRAILING = 3
PADDING = ord("=")


class Scanner:
    """Masks one stream of bytes, however it is cut into chunks."""

    def __init__(self, finder, on_mask):
        self._finder = finder
        self._on_mask = on_mask
        self._view = View()
        self._masks = []
        self._dropped = set()  # Offsets of bytes beside masks that belong to them.
        self._trailing = []  # Matches of base64 at the end, whose last characters may follow.
        self._held = b""
        self._start = 0  # Offset of the first held byte.
        self._read = 0
        self._written = 0
        self._told = []  # Masks that were told before they were decided.
        self._live = 0  # Offset of the first byte of the stream that may begin a match.
        self._view_live = 0  # The same of the view, as an offset in the stream.

    @property
    def pending(self):
        """How many bytes are held back."""
        return self._read - self._written

    def push(self, chunk):
        """Takes a chunk, which is not empty; gives what is decided."""
        base = self._read
        self._read += len(chunk)
        held = self._held = self._held + chunk if self._held else chunk
        data = held[self._live - self._start :] if self._live > self._start else held
        trailing, self._trailing = self._trailing, []
        for known, taken in trailing:
            self._drop_after(base, known, taken)
        self._scan(data)
        self._scan_view(chunk, base)
        self._live += self._finder.live_start(data)
        limit = min(self._live, self._view_live)
        if self._belongs_before(limit):
            limit -= 1
        output = self._settle(limit)
        keep = min(self._written, limit)
        self._held = held[keep - self._start :]
        self._start = keep
        return output

    def pause(self):
        """Gives as much of a partial match as a pause may show; its rest will still be masked."""
        start = min(self._live, self._view_live)
        most = MAX_SHOWN_AT_PAUSE - (1 if self._belongs_before(start) else 0)
        live = self._held[self._live - self._start :]
        limit = self._live + self._finder.shown_limit(live, most)
        segment = self._view.segment
        view_limit = self._finder.shown_limit(segment.data, most)
        if view_limit < segment.length:
            limit = min(limit, segment.to_stream(view_limit))
        if self._masks:
            limit = min(limit, self._masks[0][0])
        return self._raw(limit)

    def tell(self):
        """Tells of values that are found, also where what follows may belong to the same mask."""
        self._masks = merged(self._masks)
        for mask in self._masks:
            self._tell(mask)
        self._told = list(self._masks)

    def _tell(self, mask):
        """Tells of a mask, unless the same value was told at its place."""
        start, end, needle = mask
        for first, last, told in self._told:
            if first < end and start < last and told.name == needle.name:
                return
        self._on_mask(needle)

    def end(self):
        """Decides everything that is held: what is no match by now is none."""
        return self._settle(self._read)

    def _scan(self, data):
        for start, end, needle in self._finder.find(data):
            self._add(self._live + start, self._live + end, needle)

    def _scan_view(self, chunk, base):
        """Adds the matches that cross a gap; the others are matches of the stream."""
        view = self._view
        finished = view.push(chunk, base)
        for segment in finished + [view.segment]:
            for start, end, needle in self._finder.find(segment.data):
                if end - start >= MIN_UNWRAPPED_BYTES:
                    first, last = segment.to_stream(start), segment.to_stream(end - 1) + 1
                    if last - first != end - start:
                        self._add(first, last, needle)
        segment = view.segment
        live = segment.length if view.is_cut else self._finder.live_start(segment.data)
        self._view_live = segment.to_stream(live) if live < segment.length else self._read
        view.segment = segment.tail(live)

    def _add(self, start, end, needle):
        self._masks.append((start, end, needle))
        if needle.before and self._start < start:
            if agrees(self._held[start - 1 - self._start], needle.before):
                self._dropped.add(start - 1)
        if needle.after:
            self._drop_after(end, needle.after, 0)

    def _drop_after(self, end, known, taken):
        """Drops the character behind base64 of a value, and padding; `taken` counts them."""
        for at in range(end, end + MAX_TRAILING - taken):
            if at == self._read:
                self._trailing.append((known, taken + at - end))
                return
            byte = self._held[at - self._start]
            if not (byte == PADDING if taken + at > end else agrees(byte, known)):
                return
            self._dropped.add(at)

    def _belongs_before(self, start):
        """Whether the byte before an offset would belong to a match that begins there."""
        at = start - 1 - self._start
        return 0 <= at < len(self._held) and self._held[at] in self._finder.beside

    def _settle(self, limit):
        """All masks that end by the limit, and the bytes up to the next one."""
        masks = self._masks = merged(self._masks)
        parts = []
        for index, mask in enumerate(masks):
            start, end, needle = mask
            if end > limit:
                self._masks = masks[index:]
                parts.append(self._raw(min(start, limit)))
                return b"".join(parts)
            parts += self._raw(start), needle.mask
            self._tell(mask)
            self._written = max(self._written, end)
        self._masks = []
        parts.append(self._raw(limit))
        return b"".join(parts)

    def _raw(self, to):
        """The bytes from the last written one to an offset."""
        if to <= self._written:
            return b""
        start, self._written = self._written, to
        if not self._dropped:
            return self._held[start - self._start : to - self._start]
        parts = []
        for at in sorted(at for at in self._dropped if at < to):
            if at >= start:
                parts.append(self._held[start - self._start : at - self._start])
                start = at + 1
            self._dropped.discard(at)
        parts.append(self._held[start - self._start : to - self._start])
        return b"".join(parts)


def merged(masks):
    """The unions of overlapping matches; the longest match of each gives its name."""
    masks.sort(key=lambda mask: mask[:2])
    result = masks[:1]
    for start, end, needle in masks[1:]:
        last_start, last_end, last = result[-1]
        if start < last_end:
            result[-1] = (last_start, max(last_end, end), outranking(last, needle))
        else:
            result.append((start, end, needle))
    return result


def outranking(one, other):
    """The longer needle; of equally long ones always the same."""
    if len(one.bytes) != len(other.bytes):
        return one if len(one.bytes) > len(other.bytes) else other
    return one if one.bytes <= other.bytes else other


# --- Records for the launcher (adapters/modal/shim/record-filter.ts) ------------------------------

RECORD_BEGIN = b"\x1enopeek "
MAX_NAMES = 20
PLAIN_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
UNFINISHED_CHARACTER = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)


class Output:
    """One of our own streams; its reader decides how fast."""

    def __init__(self, fd):
        self._fd = fd
        self._lock = threading.Lock()
        self._last = b"\n"
        self.moved = time.monotonic()
        self.busy = False

    def write(self, data):
        """Writes all of it; BrokenPipeError if nobody reads."""
        with self._lock:
            self._write(data)

    def insert(self, record, patience):
        """Writes a record where it cuts no line, or with less patience no character; else False."""
        with self._lock:
            if patience > 1 and not self._last.endswith(b"\n"):
                return False
            if patience > 0 and UNFINISHED_CHARACTER.search(self._last):
                return False
            last = self._last
            self._write(record)
            self._last = last
            return True

    def _write(self, data):
        self.busy = True
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest[:65536]) :]
            self._last = (self._last + data[-3:])[-3:]
        finally:
            self.busy = False
            self.moved = time.monotonic()


class Reporter:
    """Tells the launcher what happened: numbered, each record with a MAC, none with a value."""

    def __init__(self, key, run_id, output):
        self._key = hmac.digest(key, b"nopeek shim\0" + run_id.encode("utf-8"), "sha256")
        self._output = output
        self._number = 0
        self._lock = threading.Lock()
        self._counts = collections.Counter()
        self._tries = 0

    def count(self, needle, stream):
        """Notes one mask; it is told soon."""
        with self._lock:
            self._counts[needle.name, needle.form, needle.strong, stream] += 1

    def tell(self, kind, patience=0, **fields):
        """Writes one record; False if it would cut a line or character."""
        body = json.dumps({"n": self._number, "kind": kind, **fields}, separators=(",", ":"))
        mac = hmac.new(self._key, body.encode("ascii"), "sha256").hexdigest()
        record = RECORD_BEGIN + mac.encode("ascii") + b" " + body.encode("ascii") + b"\n"
        try:
            written = self._output.insert(record, patience)
        except OSError:
            written = True  # Nobody reads any more.
        if written:
            self._number += 1
        return written

    def tell_counts(self, is_last=False):
        """Tells what was noted: at the end of a line, or after some tries anywhere."""
        self._tries += 1
        patience = 0 if is_last or self._tries > 20 else 1 if self._tries > 4 else 2
        with self._lock:
            counts, self._counts = self._counts, collections.Counter()
        for key in list(counts):
            name, form, strong, stream = key
            fields = {"name": name, "form": form, "strong": strong, "stream": stream}
            if not self.tell("found", patience, **fields, count=counts[key]):
                break
            del counts[key]
        if not counts:
            self._tries = 0
        with self._lock:
            self._counts.update(counts)


def fit_to_show(names):
    """Names of variables that nobody declared: one that is not in capitals might be a value."""
    return [name for name in names if PLAIN_NAME.fullmatch(name)]


# --- The job's environment (src/launch/environment.ts) --------------------------------------------

KEY_VARIABLE = "NOPEEK_SHIM_KEY"
URL_WITH_USER = re.compile(r"[a-z0-9+.-]+://[^/]*@", I)


def is_credential_name(name, words, parts):
    """Whether a variable of this name has to be declared."""
    upper = name.upper()
    return any(part in upper for part in parts) or not set(words).isdisjoint(upper.split("_"))


def glob_pattern(globs):
    parts = [re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".") for glob in globs]
    return re.compile("|".join(parts) or "(?!)", re.DOTALL)


def job_environment(variables, config):
    """What the job gets, and the names of what it does not get."""
    allowed = glob_pattern(config["allowed"])
    kept, withheld = {}, []
    for name, value in variables.items():
        is_wanted = name in config["declared"] or name in config["keep"]
        is_allowed = allowed.fullmatch(name) and name not in config["never"]
        if is_wanted or (is_allowed and not is_credential_name(name, *config["credentials"])):
            kept[name] = value
        else:
            withheld.append(name)
    return kept, withheld


def secret_values(kept, config):
    """The values to mask by name, and the names of declared values that are no secrets."""
    values, plain = {}, []
    for name in config["declared"]:
        value = file_content(name, kept.get(name, b""), config)
        if not value:
            continue
        if is_plain(value) and name not in config["weak"]:
            plain.append(name)
        else:
            values[name] = value
    for name, value in kept.items():
        # The password of a proxy.
        if name not in config["declared"] and URL_WITH_USER.match(value.decode("latin-1")):
            values[name] = value
    return values, plain


def file_content(name, value, config):
    return binascii.a2b_base64(value) if config["files"].get(name) == "base64" else value


def write_files(environment, config):
    """Puts declared files in place; their variables hold the paths. Gives the folder, or None."""
    names = [name for name in config["files"] if name in environment]
    if not names:
        return None
    import tempfile  # pylint: disable=import-outside-toplevel

    place = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    folder = tempfile.mkdtemp(prefix="nopeek-", dir=place)
    for name in names:
        path = os.path.join(folder, name)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(file_content(name, environment[name], config))
        environment[name] = os.fsencode(path)
    return folder


def remove_files(folder):
    if folder is None:
        return
    try:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        pass  # The job removed it, or made it its own.


# --- Running the job ------------------------------------------------------------------------------

FORWARDED_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]
CHUNK_BYTES = 65536
PAUSE_MS = 25
REPORT_SECONDS = 0.05
QUIET_SECONDS = 1.0
LEFTOVER_SECONDS = 2.0
DRAIN_SECONDS = 10.0

EXIT_REFUSED, EXIT_FAILED, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND = 77, 125, 126, 127


class Pump(threading.Thread):
    """Moves one stream of the job through a scanner, no faster than its reader takes it."""

    def __init__(self, source, output, scanner, hold):
        super().__init__(daemon=True)
        self._source = source
        self._output = output
        self._scanner = scanner
        self._hold = hold
        self._wake, self._waker = os.pipe()
        self.failed = False

    def give_up(self):
        """Takes what is there and waits for no more."""
        os.write(self._waker, b".")

    def run(self):
        try:
            self._move()
        except OSError as error:
            # A reader that went away, such as `head`, has what it wanted.
            self.failed = error.errno not in (errno.EPIPE, errno.ECONNRESET)
        except Exception:  # pylint: disable=broad-except
            self.failed = True
        finally:
            # The job gets SIGPIPE at its next write: nothing passes by unmasked.
            os.close(self._source)

    def _move(self):
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        is_paused = False
        while True:
            waits = self._scanner.pending > 0 and not is_paused
            ready = dict(poll.poll(PAUSE_MS if waits else None))
            if self._source in ready:
                chunk = os.read(self._source, CHUNK_BYTES)
                if not chunk:
                    break
                is_paused = False
                self._output.write(self._scanner.push(chunk))
            elif ready:
                break
            else:
                is_paused = True
                if self._hold != "strict":
                    self._output.write(self._scanner.pause())
                # A job that says no more may train for hours.
                self._scanner.tell()
        self._output.write(self._scanner.end())


class Job:
    """The command with all that it started."""

    def __init__(self):
        self.pid = None
        self.status = None
        self._early = []

    def take_signals(self):
        """Sends our signals on to the job, also those that come before it runs."""
        for name in FORWARDED_SIGNALS:
            signal.signal(getattr(signal, name), lambda number, frame: self._forward(number))
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def _forward(self, number):
        if self.pid is None:
            self._early.append(number)
        else:
            self.kill(number)

    def start(self, command, environment, stdout, stderr):
        """Starts it in a session of its own."""
        process = subprocess.Popen(
            command,
            env={os.fsencode(name): value for name, value in environment.items()},
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            # Ours are closed anyway; to find others takes a look at /proc, which we may not have.
            close_fds=False,
        )
        # Reaped by ourselves, with all orphans.
        process.returncode = 0
        self.pid = process.pid
        for number in self._early:
            self.kill(number)

    def kill(self, number):
        try:
            os.killpg(self.pid, number)
        except OSError:
            pass  # It is gone.

    def reap(self):
        """Takes leave of what ended, of the command and of orphans that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status

    def end_rest(self):
        """Ends what the command left running: asks first, kills after a while."""
        for number, seconds in ((signal.SIGTERM, LEFTOVER_SECONDS), (signal.SIGKILL, 1.0)):
            deadline = time.monotonic() + seconds
            while self._signal_rest(number):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)
                self.reap()
                if number == signal.SIGTERM:
                    number = 0  # Asked once.

    def _signal_rest(self, number):
        """Signals the group and our children; whether there are any."""
        found = False
        try:
            os.killpg(self.pid, number)
            found = True
        except OSError:
            pass
        for pid in children():
            try:
                os.kill(pid, number)
                found = True
            except OSError:
                pass
        return found

    @property
    def exit_code(self):
        return 128 + self.end_signal if self.end_signal else os.WEXITSTATUS(self.status)

    @property
    def end_signal(self):
        """The number of the signal that ended the command, or 0."""
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else 0


def children():
    """Processes whose parent we are: orphans come to us."""
    own = os.getpid()
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    # The name in brackets may hold anything; the fields follow the last bracket.
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == own and fields[0] not in (b"Z", b"X"):
                found.append(int(name))
    return found


def control_process():
    """Hides our memory from other processes of the user; orphans of the job come to us."""
    try:
        import ctypes  # pylint: disable=import-outside-toplevel

        libc = ctypes.CDLL(None)
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: also no core dump
        libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except Exception:  # pylint: disable=broad-except
        pass  # Not this system, or Python without ctypes.


class Shim:
    """The run of one command."""

    def __init__(self, config, key, variables, command):
        self._config = config
        self._command = command
        self._environment, withheld = job_environment(variables, self._config)
        values, plain = secret_values(self._environment, self._config)
        missing = [name for name in self._config["declared"] if not self._environment.get(name)]
        self._finder = Finder(
            [needle for name, value in values.items() for needle in needles_of(value, name)]
        )
        self._notes = {
            "withheld": sorted(fit_to_show(withheld))[:MAX_NAMES],
            "plain": sorted(plain)[:MAX_NAMES],
            "missing": sorted(missing)[:MAX_NAMES],
        }
        self._outputs = {"stdout": Output(1), "stderr": Output(2)}
        self._reporter = Reporter(key, config["runId"], self._outputs["stderr"])
        self._job = Job()
        self._pumps = []

    def run(self):
        """Gives the exit code."""
        self._job.take_signals()
        self._reporter.tell("start", **self._notes)
        code = self._refusal()
        if code == 0:
            folder = write_files(self._environment, self._config)
            try:
                code = self._start() or self._follow()
            finally:
                remove_files(folder)
        fields = {"signal": self._job.end_signal} if self._job.status is not None else {}
        self._reporter.tell_counts(is_last=True)
        self._reporter.tell("end", code=code, **fields)
        return code

    def _say(self, message):
        try:
            scanner = Scanner(self._finder, lambda needle: None)
            text = scanner.push(os.fsencode("nopeek: %s\n" % message)) + scanner.end()
            self._outputs["stderr"].write(text)
        except OSError:
            pass  # Nobody reads it.

    def _refusal(self):
        for position, item in enumerate(self._command):
            for _, _, needle in self._finder.find(os.fsencode(item))[:1]:
                what = "argument %d" % position if position else "the first word"
                self._say(
                    "%s of the command holds the value of %s (%s), and command lines can be read by"
                    " everybody; let the job read the variable" % (what, needle.name, needle.form)
                )
                return EXIT_REFUSED
        return 0

    def _start(self):
        ends = {name: os.pipe() for name in self._outputs}
        try:
            self._job.start(
                self._command, self._environment, ends["stdout"][1], ends["stderr"][1]
            )
        except OSError as error:
            return self._start_failed(error)
        finally:
            for _, writer in ends.values():
                os.close(writer)
        for name, (reader, _) in ends.items():
            count = self._counter(name)
            scanner = Scanner(self._finder, count)
            pump = Pump(reader, self._outputs[name], scanner, self._config["hold"])
            self._pumps.append(pump)
            pump.start()
        return 0

    def _counter(self, stream):
        return lambda needle: self._reporter.count(needle, stream)

    def _start_failed(self, error):
        program = self._command[0]
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not self._is_found(program):
            self._say("%s: command not found" % program)
            return EXIT_NOT_FOUND
        why = {errno.ENOENT: "its interpreter does not exist"}.get(
            error.errno, errno.errorcode.get(error.errno, "no detail")
        )
        self._say("%s: cannot be executed (%s)" % (program, why))
        return EXIT_NOT_EXECUTABLE

    def _is_found(self, program):
        if "/" in program:
            return os.path.exists(program)
        path = os.fsdecode(self._environment.get("PATH", b"/usr/bin:/bin"))
        return any(os.path.exists(os.path.join(folder, program)) for folder in path.split(":"))

    def _follow(self):
        """Until the command ended and its output is out; gives its exit code."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._job.reap()
        while self._job.status is None:
            self._wait(wake)
            self._job.reap()
        ended = time.monotonic()
        while self._is_moving(ended):
            self._wait(wake)
            self._job.reap()
        self._job.end_rest()
        self._drain()
        if any(pump.failed for pump in self._pumps):
            self._say("the output could not be masked or written, so the rest of it is lost")
            return EXIT_FAILED
        return self._job.exit_code

    def _wait(self, wake):
        if select.select([wake], [], [], REPORT_SECONDS)[0]:
            os.read(wake, 512)
        self._reporter.tell_counts()
        if any(pump.failed for pump in self._pumps):
            self._job.kill(signal.SIGTERM)

    def _is_moving(self, since):
        """Whether output still comes, from what the command left running."""
        if not any(pump.is_alive() for pump in self._pumps):
            return False
        now = time.monotonic()
        outputs = self._outputs.values()
        if any(output.busy for output in outputs):
            return True
        quiet = now - max([since] + [output.moved for output in outputs])
        return quiet < QUIET_SECONDS and now - since < DRAIN_SECONDS

    def _drain(self):
        """Takes what is still in the pipes; somebody who left the group may hold them open."""
        for pump in self._pumps:
            pump.join(REPORT_SECONDS)
        for pump in self._pumps:
            if pump.is_alive():
                pump.give_up()
                pump.join()


# --- The beginning --------------------------------------------------------------------------------


def variables_of(block):
    """The variables of an environment as the kernel keeps it."""
    entries = [entry.partition(b"=") for entry in block.split(b"\0")]
    return {os.fsdecode(name): value for name, equals, value in entries if equals and name}


def main(config, environment, command):
    """Runs a command; boot.py gives the configuration and the environment."""
    code = EXIT_FAILED
    try:
        variables = variables_of(environment)
        key = binascii.unhexlify(variables.pop(KEY_VARIABLE))
        control_process()
        code = Shim(json.loads(config), key, variables, command).run()
    except Exception as error:  # pylint: disable=broad-except
        # The message of an error might hold a value.
        text = "nopeek: the shim failed (%s); nothing more is shown\n" % type(error).__name__
        os.write(2, text.encode("ascii"))
    # Threads that wait for a reader that is gone are not waited for.
    os._exit(code)
