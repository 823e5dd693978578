"""Masking of secrets that are recognised by their shape: issuers' prefixes, JWTs, private keys, passwords in URLs.

Every pattern starts at a word's start and reads each character a bounded number of times.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

MASK = "***"

Span = tuple[int, int]  # begin and end of a part of a text

# prefixes of issuers' tokens, meant for scanners; what follows them must look generated
_PREFIXES = (
    r"sk-(?=[\w-]{0,60}[0-9A-Z])[\w-]{16,}",  # OpenAI, Anthropic, OpenRouter
    r"[sr]k_(?:live|test)_\w{8,}",  # Stripe
    r"whsec_\w{16,}",
    r"(?:hf|gsk|r8|npm|pcsk|sbp)_[A-Za-z0-9]{20,}",
    r"(?:hf|gsk|r8|pcsk|sbp|ntn|glsa|glc|npm|rubygems|lin_api|tskey|figd|phx|pplx|nvapi|xai|ctx7sk|fal|lsv2_[a-z]{2})"
    r"[_-](?=[\w-]{0,60}\d)[\w-]{16,}",
    r"api_org_\w{16,}",
    r"wandb_v\d_\w{16,}",
    r"gh[pousr]_\w{16,}",
    r"github_pat_\w{16,}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w.-]{16,}",
    r"pypi-(?=[\w-]{0,60}[0-9A-Z])[\w-]{16,}",
    r"(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,}(?:[\s:,/\"'=]{1,4}[A-Za-z0-9/+=]{40}(?![\w/+=]))?",
    r"xox[abceoprs](?:\.xox[a-z])?-[\w-]{10,}",
    r"xapp-\d-[\w-]{10,}",
    r"AIza[\w-]{30,}",
    r"ya29\.[\w-]{16,}",
    r"GOCSPX-[\w-]{16,}",
    r"1//0[\w-]{20,}",
    r"SG\.[\w-]{16,}\.[\w-]{16,}",
    r"key-[0-9a-f]{32}",
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    r"do[opr]_v1_[0-9a-f]{32,}",
    r"dapi[0-9a-f]{32}(?:-\d)?",
    r"(?:PMAK|NRAK|NRII|ATATT3x|ATCTT3x|ATBB)[\w=-]{16,}",
    r"(?:hvs|hvb|hvr|sl|dp\.[a-z]{2,4})\.[\w-]{20,}",
    r"dckr_(?:pat|oat)_[\w-]{16,}",
    r"pscale_(?:tkn|pw|oauth)_[\w.-]{16,}",
    r"sq0[a-z]{3}-[\w-]{16,}",
    r"sntry[su]_[\w=/+-]{16,}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{16,}",
    r"secret_(?=\w{0,60}\d)[A-Za-z0-9]{32,}",
    r"SK[0-9a-f]{32}",
    r"bot\d{8,10}:[\w-]{30,}",
    r"\d{8,10}:AA[\w-]{30,}",
    r"[A-Za-z0-9_~.]{3}\dQ~[\w~.-]{30,}",  # Azure AD
    r"[A-Za-z0-9/+]{86}==",  # Azure storage
    r"(?<![\w-])eyJ(?:[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*){0,3}|[\w+/-]{28,}={0,2})",  # JWT; base64 of a JSON object
)
_SHAPES = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_PREFIXES)})")
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?)-----")
# the first line of a private key's base64: PKCS #1, PKCS #8, EC, OpenSSH
_KEY_BODY = re.compile(r"(?<![\w+/=])(?:MII\S{3}IBA[AD]|MHcCAQEE|MIGHAgEA|b3BlbnNzaC1rZXktdjE)[A-Za-z0-9+/]{16,}={0,2}")
_HOOKS = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/"
    r"|webhook\.office\.com/webhookb2/|api\.telegram\.org/bot)[\w/@:-]{8,}"
)
_BASIC = re.compile(r"(?i)(\bbasic[ \t]+|\bauth (?:plain|login) )([A-Za-z0-9+/_-]{6,}={0,2})")
_BEARER = re.compile(r"(?i)(\bbearer[ \t]+)(?=[^\s\"']{16})[^\s\"',;)}\]]+")
_URL = re.compile(r"(:(?:\\?/){2})([^\s\"'<>`:]*(?::(?!\\?/\\?/)[^\s\"'<>`:]*)*)")
_PORT = re.compile(r"(?:[^:@]*|\[[0-9a-fA-F:.]*\]):\d{1,5}\Z")
_USER = re.compile(r"[a-z][a-z_.-]{0,30}\d{0,3}\Z")
_ORACLE = re.compile(r"((?:jdbc:oracle:\w{1,8}:|\bsqlplus[ \t]{1,4})[^/\s@]{1,64}/)[^@\s]{1,200}(?=@)")


has_long_word = re.compile(r"[A-Za-z0-9_-]{16}").search  # every secret with a prefix of the table has one


def mask_shapes(text: str) -> str:
    """Return a text with the secrets masked that are recognised without a name beside them."""
    if "-----BEGIN" in text:
        text = mask_spans(text, _private_keys(text))
    # functions, not templates: for templates `re` imports a module, which fails while the interpreter shuts down
    if ":" in text:
        text = _URL.sub(_mask_url, text)
    if "jdbc:" in text or "sqlplus" in text:
        text = _ORACLE.sub(_mask_after_first_group, text)
    if "." in text:
        text = _HOOKS.sub(_mask_after_first_group, text)
    if has_long_word(text):
        text = _KEY_BODY.sub(_mask, _SHAPES.sub(_mask, text))
    lowered = text.lower()
    if "bearer" in lowered:
        text = _BEARER.sub(_mask_after_first_group, text)
    return _BASIC.sub(_mask_basic, text) if "basic" in lowered or "auth " in lowered else text


def mask_spans(text: str, spans: Iterator[Span]) -> str:
    """Return the text with each span masked; spans may come in any order and overlap."""
    pieces, position = [], 0
    for begin, end in sorted(spans):
        if end <= position:
            continue
        if begin >= position:
            pieces += [text[position:begin], MASK]
        position = end
    return "".join([*pieces, text[position:]]) if pieces else text


def _mask(match: re.Match[str]) -> str:
    return MASK


def _mask_after_first_group(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}"


def _private_keys(text: str) -> Iterator[Span]:
    """Find PEM private keys; one without an end goes to the text's end."""
    position = 0
    while (match := _PRIVATE_KEY.search(text, position)) is not None:
        end_line = f"-----END {match[1]}-----"
        end = text.find(end_line, match.end())
        position = len(text) if end < 0 else end + len(end_line)
        yield match.start(), position


def _mask_url(match: re.Match[str]) -> str:
    """Mask user and password of a URL; a user alone is a token over HTTP, and a name in other schemes.

    A password may contain "/", "@", "?" and "#" although it should not: when it begins before the first slash, or
    continues behind an "@", everything up to the last "@" is masked.
    """
    begin, rest = match[1], match[2]
    if "@" not in rest:
        return match[0]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    before_query = re.split(r"[?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        user = authority[: authority.index("@")]
        if ":" in user:
            cut = before_query.rindex("@")
        elif user == "git" or (not _over_http(match) and _USER.match(user)):
            return match[0]
        else:
            cut = authority.rindex("@")
    elif ":" in authority and not _PORT.match(authority):
        cut = rest.rindex("@")
    else:
        return match[0]
    return f"{begin}{MASK}@{rest[cut + 1 :]}"


def _over_http(match: re.Match[str]) -> bool:
    return match.string[max(0, match.start() - 5) : match.start()].lower().endswith(("http", "https"))


def _mask_basic(match: re.Match[str]) -> str:
    """Mask what follows "Basic" if it is base64 of user:password."""
    encoded = match[2].rstrip("=")
    try:
        decoded = base64.urlsafe_b64decode(encoded.replace("+", "-").replace("/", "_") + "=" * (-len(encoded) % 4))
    except ValueError:
        return match[0]
    is_login = match[1].lower().startswith("auth")
    return f"{match[1]}{MASK}" if b":" in decoded or b"\0" in decoded or is_login else match[0]
