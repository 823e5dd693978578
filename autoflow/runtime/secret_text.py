"""Masking of secrets in text: a command line, a log line, an error, JSON, a header, code.

Known shapes are masked first (`secret_shapes`). Then values beside a secret's name (`secret_names`): assignments and
fields (``password=x``, ``"apiToken": "x"``, also escaped), pairs (``("password", "x")``), fields that name the field
(``{"name": "TOKEN", "value": "x"}``), options (``--token x``, ``-p x``, ``-u a:b``), XML elements and prose.
Every search starts at a word and is bounded, so that the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from autoflow.runtime.secret_names import Secrecy, secrecy
from autoflow.runtime.secret_shapes import MASK, Span, mask_shapes, mask_spans

LONGEST_GROUP = 4096  # of a bracketed value
LONGEST_SCANNED = 200  # of a value that may turn out to be no secret

_NAME = r"(?<![\w.-])[.-]*[^\W\d][\w.-]*"
# a name, what may close it (a quote, escaped or not, a bracket), a type, and the sign before the value
_ASSIGNMENT = re.compile(
    rf"(?P<name>{_NAME})[\"'`\]\\]{{0,10}}[ \t]{{0,8}}"
    r"(?:(?::[ \t]{0,4}(?:str|bytes|SecretStr|Optional\[str\]|str \| None)[ \t]{0,4})?(?:=>|:=|==|!=|=)|:(?!:|\\?/\\?/)"
    r"|->|%3[dDaA])(?:\s{1,20}(?=\\{0,7}[\"'])|[ \t]{0,20})"
)
_PAIR = re.compile(
    r"(?P<q>\\{0,7}[\"'])(?P<name>-{0,2}[^\W\d][\w .-]{0,80})(?P=q)\s{0,8},\s{0,8}(?=[bBrRuUfF]{0,2}\\{0,7}[\"'])"
)
_OPTION = re.compile(r"(?<!\S)(?P<name>-{1,2}[A-Za-z][\w.-]*)[ \t]+(?=[^\s-])")
_ELEMENT = re.compile(rf"<(?P<name>{_NAME})(?:\s[^<>]{{0,200}})?>(?P<value>[^<>]+)</")
_PROSE = re.compile(
    r"(?i)(?P<name>password|passwd|passphrase|secret|token|key|credential)s?"
    r"(?:[ \t]{1,4}(?:is|was|of|to|set|now|changed)){0,3}[ \t]{1,4}[\"'`]?(?P<value>[^\s\"'`]{6,})"
)
_LISTED = re.compile(r"(?i)\b(?:credentials?|auth|passwords?|secrets?)[ \t]{1,4}(?=[\[({][\"'])")
_LOGIN = re.compile(
    r"(?i)(\bwandb login\b(?:[ \t]+--?[\w-]+){0,6}[ \t]+|\blogin[ \t]+\S{1,64}[ \t]+password[ \t]+)(\S+)"
)

_QUOTED = re.compile(r"[bBrRuUfF]{0,2}(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.DOTALL)
_ESCAPED = re.compile(r"(?P<open>\\{1,7}[\"'])(?:(?!(?P=open)).)*(?P=open)", re.DOTALL)
_UNCLOSED = re.compile(r"\\{0,7}[\"'][^\n]*")
_SCHEME = re.compile(
    r"(?i)(?:(?P<line>digest|aws4-hmac-sha256)[ \t]+(?=\S)"
    r"|(?:bearer|basic|token|negotiate|apikey|key)[ \t\\]+(?=\S)(?![\w-]{1,64}[ \t]?[:=]))"
)
_BARE = re.compile(
    r"(?:[^\s,;&\"'`)\]}>\\]+|\\(?![nrt\"'])|[,;&](?=\S)(?!\s?[\"'{\[]|[\w.-]{1,64}[\"']?[=:])|[\"'`)\]}>](?=[\w!@#$%^*~+]))+"
)
_LINE = re.compile(r"[^\n\"'\\]*[^\s\"'\\]")
_LINE_FIELDS = {"cookie", "set-cookie", "passphrase"}
_LIST_REST = re.compile(r"(?:,[ \t]{0,4}[^\s,;=:\"'()\[\]{}]{1,200}(?=[,\s]|\Z))*")  # of a list without brackets
_BRACKETS = {"[": "]", "(": ")", "{": "}"}

_PLACEHOLDER = re.compile(
    r"(?i)(?:|none|null|nil|undefined|nan|true|false|yes|no|n/a|-+|\.+|\*+|x{3,}|\[?(?:redacted|masked|hidden|removed"
    r"|filtered)\]?|<[\w .:/-]*>?|required|missing|invalid|expired|incorrect|wrong|unset|empty|optional"
    r"|failed|denied|enabled|disabled|unknown|not|is|for|str|string|int|bytes|bool|secretstr|optional\[str\]"
    r"|(?-i:\$[A-Z_][A-Z0-9_]*)|\$?\{\{?[\w. :-]*\}?\}?|%\w+%|os\.environ\S*"
    r"|\S{0,20}getenv\S*|getpass\S*|self\.\w+|args\.\w+|config\.\w+)"
    r"[.,;:]?"
)
_AUTH_STATE = re.compile(
    r"(?i)(?:basic|bearer|digest|oauth2?|ldap|sso|saml|token|jwt|kerberos|ntlm|anonymous|guest|on|off|success(?:ful)?"
    r"|ok|error|passed)[.,;]?"
)
_NUMBER = re.compile(r"[-+]?[\d.,_]+(?:[kKmMbBgG%s]|ms)?\Z")
_NUMBERS = re.compile(r"[\[(]?[\d\s.,]*[\])]?\Z")
_RANDOM_CHARACTERS = re.compile(r"[\w+/=.~%:@$-]{16,}\Z")
_CHANGE = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|\d(?=[A-Za-z])")
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w.@ /-]*\Z|[A-Za-z]:\\|[\w./-]+\.(?:json|pem|key|crt|ya?ml|toml|txt|p12|pub)\Z")
_HEX = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{32,}\Z")
_SIGNATURE = re.compile(r"(?=.{0,60}\d)[\w%+/=-]{16,}\Z")
_PIN = re.compile(r"\d{4,8}\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)

_NAME_FIELDS = {"name", "key", "field", "header", "variable", "var", "env", "parameter", "option", "k"}
_VALUE_FIELDS = {"value", "val", "v", "default", "content", "data", "secretvalue"}
_ROLES = _NAME_FIELDS | _VALUE_FIELDS

_QUANTITY = re.compile(r"v?\d[\d.]*[a-z]{0,3}\Z")
USERS = {"--user", "--proxy-user", "--userpwd", "--http-user", "--basic-auth", "--creds"}
_PORTS = re.compile(r"[\d:,./-]+(?:tcp|udp)?\Z|(?:tcp|udp|icmp|all)\Z")
_PATHS = re.compile(r"(?:\.{0,2}|~)/|\.{1,2}\Z|[A-Za-z]:\\|no:|\S*\.(?:py|sh|txt|json|ya?ml|toml|csv|zip|tar|gz)\Z")
# commands whose -p is not a password
_P_IS_NO_PASSWORD = re.compile(
    r"(?:^|[\s/\"'])(?:mkdir|cp|scp|install|rsync|pytest|py\.test|tmux|touch|patch|sbatch|srun|salloc|squeue|sinfo|git|bash"
    r"|read|cargo|go|make|iptables|lsof|ps|perf|kubectl|tar|compose|docker-compose|nmap|nc|netstat|celery|xdist)[\s\"',]"
)
_ATTACHED_P = re.compile(r"(?:^|[\s/\"'])(?:mysql\w*|mariadb\w*|sshpass|7z[a-z]?|rar|htpasswd)[\s\"',]")
_OPTION_A = re.compile(r"(?:^|[\s/\"'])redis-cli[\s\"',]")
_OPTION_P = re.compile(r"(?:^|[\s/\"'])(?:zip|unzip)[\s\"',]")
_OPTION_W = re.compile(r"(?:^|[\s/\"'])ldap\w+[\s\"',]")
_SHORT = re.compile(
    r"(?<![^\s\"'])-(?P<name>[upPaUw])(?P<space>[ \t]*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'-][^\s\"']*)"
)


def mask_text(text: str) -> str:
    """Return a text with secrets masked."""
    text = mask_shapes(text)
    if "=" in text or ":" in text or "%3" in text or "->" in text:
        text = mask_spans(text, _assignments(text))
    if "," in text:
        text = mask_spans(text, _pairs(text))
    if "-" in text:
        text = mask_spans(text, _options(text))
    if "</" in text:
        text = mask_spans(text, _elements(text))
    return mask_spans(text, _prose(text)) if may_speak_of_secrets(text) else text


def may_speak_of_secrets(text: str) -> bool:
    """Return whether a text contains a word that names a secret."""
    lowered = text.lower()
    return any(word in lowered for word in ("pass", "token", "secret", "key", "cred", "login", "bearer", "basic"))


# -- values


def is_secret(level: Secrecy, value: str, name: str = "") -> bool:
    """Return whether a value is masked beside a name of some secrecy."""
    bare = value.strip().strip("\"'`\\").strip()
    if level is Secrecy.NEVER or _PLACEHOLDER.fullmatch(bare):
        return False
    if level is Secrecy.IF_RANDOM:
        lowered = name.lower()
        return (
            looks_generated(bare)
            or (lowered.endswith("pin") and bool(_PIN.match(bare)))
            or (lowered.endswith(("sig", "signature")) and bool(_SIGNATURE.match(bare)))
        )
    if level is Secrecy.IF_NOT_NUMBER and (_NUMBER.match(bare) or _NUMBERS.match(bare)):
        return False
    lowered = name.lower()
    if lowered.endswith(("pwd", "credentials", "credential", "key", "keys")) and is_path(bare):
        return False
    return not (lowered.endswith(("auth", "authorization")) and _AUTH_STATE.fullmatch(bare))


def looks_generated(value: str) -> bool:
    """Return whether a value looks randomly generated: long, of letters and digits, no path, no UUID."""
    if not _RANDOM_CHARACTERS.match(value) or _UUID.match(value):
        return False
    if value.lower().startswith(("sha256:", "sha1:", "md5:", "/", "~", ".")) or "://" in value:
        return False
    return any(_is_random(part) for part in re.split(r"[^A-Za-z0-9]", value))


def _is_random(word: str) -> bool:
    """Return whether a word mixes letters and digits throughout, as names (resnet50, epoch12) and dates do not."""
    if _HEX.match(word):
        return True
    digits = sum(character.isdigit() for character in word)
    if len(word) < 12 or digits < 2 or len(word) - digits < 2:
        return False
    return 4 * len(_CHANGE.findall(word)) >= len(word)


def is_path(value: str) -> bool:
    """Return whether a value is a path of readable words."""
    if not _PATH.match(value):
        return False
    return not any(looks_generated(part) for part in value.split("/"))


def _value_at(text: str, position: int, longest: int | None = None) -> Span:
    """Return the span of the value at a position, reading at most `longest` characters ahead."""
    limit = len(text) if longest is None else min(len(text), position + longest)
    for pattern in (_QUOTED, _ESCAPED):
        if (match := pattern.match(text, position, limit)) is not None:
            following = match.end()
            # a value that continues behind its quotes, as in a shell: 'abc'"def"
            bare = _BARE.match(text, following, limit) if text[following : following + 1].isalnum() else None
            return position, bare.end() if bare else following
    if text[position : position + 1] in _BRACKETS:
        return position, _group_end(text, position)
    if (match := _UNCLOSED.match(text, position, limit)) is not None:
        return position, match.end()
    if (scheme := _SCHEME.match(text, position, limit)) is not None:
        position = scheme.end()
        if scheme["line"]:
            end = text.find("\n", position)
            return position, len(text) if end < 0 else end
    bare = _BARE.match(text, position, limit)
    return position, bare.end() if bare else position


def _group_end(text: str, position: int) -> int:
    """Return the end of a bracketed value, at most `LONGEST_GROUP` characters ahead."""
    depth, limit = 0, min(len(text), position + LONGEST_GROUP)
    while position < limit:
        character = text[position]
        if character in "\"'" and (quoted := _QUOTED.match(text, position)) is not None:
            position = quoted.end()
            continue
        depth += (character in "[({") - (character in "])}")
        position += 1
        if depth <= 0:
            return position
    return position


# -- searches


def _assignments(text: str) -> Iterator[Span]:
    """Find values assigned to a secret's name, and value fields beside a field that holds such a name."""
    position = 0
    last_value: Span | None = None  # of a field named "value"
    named_until = -1  # up to here, a field named "value" is a secret, because a "name" field before it says so
    while (match := _ASSIGNMENT.search(text, position)) is not None:
        name, begin, position = match["name"], match.end(), match.end()
        role = name.lower().lstrip("-")
        level = secrecy(name, _word_before(text, match.start()))
        bracketed = text[begin : begin + 1] in _BRACKETS and begin < len(text)
        if not (level or role in _VALUE_FIELDS or role in _NAME_FIELDS) or (
            bracketed and level < Secrecy.IF_NOT_NUMBER
        ):
            continue
        begin, end = _value_at(text, begin, None if level > Secrecy.IF_RANDOM else LONGEST_SCANNED)
        value = text[begin:end]
        secret = is_secret(level, value, name)
        if role in _VALUE_FIELDS:
            secret = match.start() <= named_until and is_secret(Secrecy.ALWAYS, value)
            last_value, named_until = (begin, end), -1
        elif role in _NAME_FIELDS and secrecy(value.strip("\"'\\")) >= Secrecy.IF_NOT_NUMBER:
            if last_value is not None and not re.search(r"[{}\n]", text[last_value[1] : match.start()][:200]):
                yield last_value
            last_value, named_until = None, end + 200
        elif role in _LINE_FIELDS and (line := _LINE.match(text, begin)) is not None:
            end = max(end, line.end())
        if secret:
            if name.endswith("s") and (more := _LIST_REST.match(text, end)) is not None:
                end = more.end()
            yield begin, end
        if secret or bracketed:
            position = max(position, end)


def _word_before(text: str, position: int) -> str:
    match = re.search(r"([A-Za-z]+)[ \t]\Z", text[max(0, position - 24) : position])
    return match[1] if match else ""


def _pairs(text: str) -> Iterator[Span]:
    """Find the second of two quoted texts when the first is a secret's name or option."""
    for match in _PAIR.finditer(text):
        begin, end = _value_at(text, match.end())
        option = match["name"].startswith("-")
        opening = text[max(0, match.start() - 12) : match.start()].rstrip(" \n\tbBuU")[-1:]
        closing = text[end : end + 12].lstrip()[:1]
        pair = opening == "(" or (opening == "[" and closing == "]")
        name, value = match["name"], text[begin:end]
        if len(name) == 2 and option:
            command = text[max(0, match.start() - 200) : match.start()]
            secret = short_option(name[1], value.strip("\"'\\"), command, attached=False) is not None
        else:
            secret = (option or pair) and is_secret(secrecy(name.replace(" ", "_")), value, name)
        if secret:
            yield begin, end


def _options(text: str) -> Iterator[Span]:
    """Find the values of secret options."""
    for match in _OPTION.finditer(text):
        level, user = secrecy(match["name"]), match["name"].lower() in USERS
        if level or user:
            begin, end = _value_at(text, match.end())
            value = text[begin:end]
            if is_secret(level, value, match["name"]) or (user and _is_user_and_password(value.strip("\"'"))):
                yield begin, end
    for match in _SHORT.finditer(text):
        command = text[max(0, match.start() - 200) : match.start()]
        hidden = short_option(match["name"], match["value"].strip("\"'"), command, attached=not match["space"])
        if hidden is not None:
            begin, end = match.span("value")
            yield begin + hidden, end


def short_option(letter: str, value: str, command: str, *, attached: bool) -> int | None:
    """Return the index of the secret part of a one-letter option's value; None when it has none.

    Args:
        letter: the option, without its dash.
        value: the text behind it.
        command: the words before it, which determine the letter's meaning.
        attached: the value follows without a space, as in ``-phunter2``.
    """
    command = f"{command} "
    if not value or _PLACEHOLDER.fullmatch(value) or _PORTS.match(value):
        return None
    if letter in "uU":
        return 0 if _is_user_and_password(value, "%" if letter == "U" and ":" not in value else ":") else None
    if letter not in "paPw":
        return None
    commands = {"a": _OPTION_A, "P": _OPTION_P, "w": _OPTION_W}
    if letter in commands:
        return 0 if commands[letter].search(command) and not attached else None
    if attached:
        return 0 if _ATTACHED_P.search(command) else None
    return None if _PATHS.match(value) or _P_IS_NO_PASSWORD.search(command) else 0


def _is_user_and_password(value: str, between: str = ":") -> bool:
    user, colon, password = value.partition(between)
    if not colon or not password or password.startswith(("//", "\\")) or MASK in value:
        return False
    return not (_PORTS.match(password) and _PORTS.match(user))


def _elements(text: str) -> Iterator[Span]:
    """Find the contents of XML elements with a secret's name."""
    for match in _ELEMENT.finditer(text):
        if is_secret(secrecy(match["name"]), match["value"], match["name"]):
            yield match.span("value")


def _prose(text: str) -> Iterator[Span]:
    """Find words behind a secret's name in a sentence that look like a secret."""
    for match in _PROSE.finditer(text):
        name = re.search(r"[\w.-]*\Z", text[max(0, match.start() - 64) : match.start()])[0] + match["name"]  # type: ignore[index]
        level = secrecy(name, _word_before(text, match.start()))
        if level and is_password_in_prose(level, name, match["value"]):
            yield match.span("value")
    for match in _LISTED.finditer(text):
        yield match.end(), _group_end(text, match.end())
    for match in _LOGIN.finditer(text):
        if not _PLACEHOLDER.fullmatch(match[2]) and not match[2].startswith("-"):
            yield match.span(2)


def is_password_in_prose(level: Secrecy, name: str, value: str) -> bool:
    """Return whether a word behind a secret's name is a secret: with letters and digits, like few ordinary words."""
    value = value.rstrip(".,;:)")
    if level is Secrecy.IF_RANDOM:
        return looks_generated(value)
    if not re.search(r"[A-Za-z]", value) or "=" in value[:-2] or _QUANTITY.match(value):
        return False
    if "/" in value and (len(value) < 30 or "." in value):
        return False
    digits = sum(character.isdigit() for character in value)
    return digits >= 1 if "pass" in name.lower() else (digits >= 2 and len(value) >= 8) or len(value) >= 30
