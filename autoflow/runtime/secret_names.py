"""Classification of names: whether the value beside a name, such as ``wandb_key`` or ``apiToken``, is a secret.

A name is split into words (camelCase, digits, ``_``, ``-``, ``.``), and the words are looked up in the tables below.
"""

from __future__ import annotations

import functools
import re
from enum import IntEnum

LONGEST_NAME = 128


class Secrecy(IntEnum):
    """The condition under which the value beside a name is masked; each level includes those above it."""

    NEVER = 0
    IF_RANDOM = 1  # it looks generated: long, letters and digits
    IF_NOT_NUMBER = 2  # the name may as well be a count
    ALWAYS = 3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALWAYS = _words(
    """password passwd passphrase passcode passwort kennwort senha contrasena pwd pw psw pswd secret credential cred
    authorization bearer jwt psk otp totp apikey passkey pincode privkey"""
)
_PLURAL = _words("passwords pwds secrets tokens credentials creds cookies apikeys passphrases passcodes pass cookie")
_IF_RANDOM = _words(
    "signature sig sas session sessionid sessid phpsessid jsessionid sid csrf xsrf salt pat dsn pin key"
)
_COMPOUND = re.compile(
    r"password|passwd|passphrase|(?:pwd|passw)$|token$|secret$|tokens$|secrets$"
    r"|(?:api|access|secret|private|auth|ssh|account|storage|shared|signing|encryption|master|license|wandb|kaggle"
    r"|openai|github|azure|aws|stripe)keys?$"
    r"|^(?:db|user|usr|root|admin|my|ssh|smtp|ftp|mysql|redis|mongo|sql|http|proxy|mail|ldap)pw$"
)
_KEY = _words("key keys")
_BEFORE_SECRET_KEY = _words(
    """api access private secret signing sign encryption encrypt decryption account master license licence deploy
    service server client shared root admin ssh pgp gpg rsa dsa ecdsa hmac aes fernet crypto cipher storage webhook
    auth oauth app application consumer subscription security bot tsig wireguard wg
    wandb wb kaggle comet neptune clearml hf face huggingface
    hub openai anthropic claude azure aws gcp google gemini cohere
    mistral groq stripe github gitlab slack discord telegram twilio sendgrid mailgun datadog dd sentry newrelic algolia
    pinecone weaviate qdrant roboflow labelbox supervisely sly mlflow dagshub ngc nvidia replicate together langchain
    langsmith serpapi tavily elevenlabs deepl minio"""
)
_BEFORE_DATA_KEY = _words(
    """primary foreign sort public cache partition row object s3 group index join lookup unique composite natural
    surrogate routing image label metric monitor feature column col field item record node edge config state sub query
    attention hot short shortcut arrow target input output text bbox data dataset file sample batch param dict map json
    yaml idempotency dedup deduplication message bucket blob translation journal best num"""
)
_TOKEN = _words("token tokens")
_BEFORE_TEXT_TOKEN = _words(
    """pad eos bos cls sep unk mask masked special stop start end image text input output prompt completion new max min
    num n total per next page continuation cached reasoning generated first last audio video visual patch register
    class query vision word begin prefix suffix additional extra bpe vocab tgt src target source label avg mean count
    batch unexpected syntax illegal unknown design"""
)
_BEFORE_WORK_PASS = _words(
    """by com en encom notch all sub over under sur tres low high band multi one two first second third forward backward
    num n single each per last next render test tests final"""
)
_COUNTED = _words("num n max min total count avg mean")
_FLAGS = _words("use no has is show with allow enable require required need needs check validate verify reset forgot")
# as the last word, these make the name one of a property of the secret
_ATTRIBUTES = _words(
    """id ids type types count counts limit limits len length size dropout embedding embeddings emb url uri endpoint
    budget usage rate file files path paths dir folder filename name names expiry expires expiration ttl timeout
    lifetime age policy env var variable per second sec class classes index idx mask masks pos position positions prob
    probs logprobs cost price window enabled required valid strength min max mode method provider scheme domain server
    host port issuer arn ref vault manager prefix format level levels hint field header label loss merging pruning
    accuracy mixing mixer shift dim latency throughput version exists rotation resolver store helper bucket buckets"""
)
_PASS_WORDS = _words("word words wd phrase code key")
_AFTER_AUTH = _words("code data string value cookie")
_NEUTRAL = _words("prod production dev stage staging test old new value val confirm confirmation x")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


@functools.lru_cache(maxsize=4096)
def secrecy(name: str, before: str = "") -> Secrecy:
    """Return the secrecy of the value beside a name.

    Args:
        name: of a variable, a field, an option or a header.
        before: the word before it in a text, as in "API key: ..." and "unexpected token: ...".
    """
    words = [word.lower() for word in _WORD.findall(name[-LONGEST_NAME:])]
    level = max((_word_secrecy(words, index, before.lower()) for index in range(len(words))), default=Secrecy.NEVER)
    if level > Secrecy.IF_RANDOM and words[0] in _FLAGS | _COUNTED and len(words) > 1:
        return Secrecy.IF_RANDOM
    return level


def _word_secrecy(words: list[str], index: int, outside: str) -> Secrecy:
    """Return the secrecy that one word gives to its name."""
    word, rest = words[index], words[index + 1 :]
    before = words[index - 1] if index else outside
    level = _base_secrecy(word, before)
    if word == "pass" and rest and rest[0] in _PASS_WORDS:
        return Secrecy.ALWAYS
    if word == "auth":
        last = not rest or rest[-1] in _AFTER_AUTH
        return Secrecy.ALWAYS if last else Secrecy.NEVER
    if word in {"pass", "cookie", "cookies"} and not set(rest) <= _NEUTRAL:
        return Secrecy.NEVER  # pass_rate, cookie_domain
    is_attribute = bool(rest) and rest[-1] in _ATTRIBUTES and not (word in {"secret", "key"} and rest == ["id"])
    return min(level, Secrecy.IF_RANDOM) if is_attribute else level


def _base_secrecy(word: str, before: str) -> Secrecy:
    if word in _KEY:
        if before in _BEFORE_DATA_KEY:
            return Secrecy.NEVER
        if before in _BEFORE_SECRET_KEY:
            return Secrecy.ALWAYS if word == "key" else Secrecy.IF_NOT_NUMBER
        return Secrecy.IF_RANDOM
    if word in _TOKEN and before in _BEFORE_TEXT_TOKEN:
        return Secrecy.IF_RANDOM
    if word == "pass" and before in _BEFORE_WORK_PASS:
        return Secrecy.NEVER
    if word == "signature" and before in {"amz", "goog", "request"}:
        return Secrecy.ALWAYS
    if word.endswith("pass") and word != "pass":
        return Secrecy.NEVER if word[:-4] in _BEFORE_WORK_PASS else Secrecy.IF_NOT_NUMBER
    if word in _ALWAYS:
        return Secrecy.ALWAYS
    if word in _PLURAL:
        return Secrecy.IF_NOT_NUMBER
    if _COMPOUND.search(word):
        return Secrecy.IF_NOT_NUMBER if word.endswith("s") else Secrecy.ALWAYS
    return Secrecy.IF_RANDOM if word in _IF_RANDOM else Secrecy.NEVER
