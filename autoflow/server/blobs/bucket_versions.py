"""The versions of objects in a bucket of S3, which obstore neither lists nor deletes.

Two requests of S3's own API, signed with the variables that `blobs.bucket` names (Signature Version 4).
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from html import unescape
from urllib.parse import quote, unquote, urlsplit

_TIMEOUT = 30.0  # seconds for a request
_ENTRY = re.compile(r"<(Version|DeleteMarker)>(.*?)</\1>", re.DOTALL)
_OK = {200, 204}


class BucketVersions:
    """The versions of the objects of a bucket.

    Args:
        bucket: its name.

    Raises:
        OSError: there are no credentials in the environment.
    """

    def __init__(self, bucket: str) -> None:
        environment = os.environ
        self._key, self._secret = (environment.get(f"AWS_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        if not self._key or not self._secret:
            raise OSError(
                "the older versions of objects are deleted with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which are "
                "not set"
            )
        self._token = environment.get("AWS_SESSION_TOKEN")
        self._region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
        endpoint = environment.get("AWS_ENDPOINT_URL") or environment.get("AWS_ENDPOINT")
        self._address = urlsplit(endpoint or f"https://s3.{self._region}.amazonaws.com")
        self._root = f"{self._address.path.rstrip('/')}/{quote(bucket)}"

    def list(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield the path and the version of every object below a prefix, with the markers of deleted ones.

        Raises:
            OSError: the bucket refuses it, or does not answer.
        """
        query = {"versions": "", "prefix": prefix, "encoding-type": "url"}
        while True:
            text = self._request("GET", self._root, query)
            for _, entry in _ENTRY.findall(text):
                yield unquote(_member(entry, "Key")), _member(entry, "VersionId")
            if _member(text, "IsTruncated") != "true":
                return
            query["key-marker"] = unquote(_member(text, "NextKeyMarker"))
            query["version-id-marker"] = _member(text, "NextVersionIdMarker")

    def delete(self, path: str, version: str) -> None:
        """Delete one version of an object.

        Raises:
            OSError: the bucket refuses it, or does not answer.
        """
        self._request("DELETE", f"{self._root}/{quote(path)}", {"versionId": version})

    def _request(self, method: str, path: str, query: Mapping[str, str]) -> str:
        target = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._address.netloc, timeout=_TIMEOUT)
        try:
            connection.request(method, f"{path}?{target}", headers=self._headers(method, path, target))
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(f"{self._address.netloc} did not answer: {error!r}") from error
        finally:
            connection.close()
        if response.status not in _OK:
            raise OSError(f"{method} of the versions of objects: {response.status} {' '.join(text.split())[:200]}")
        return text

    def _headers(self, method: str, path: str, query: str) -> dict[str, str]:
        now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        empty = hashlib.sha256(b"").hexdigest()
        signed = {"host": self._address.netloc, "x-amz-content-sha256": empty, "x-amz-date": now}
        if self._token:
            signed["x-amz-security-token"] = self._token
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{empty}"
        scope = f"{now[:8]}/{self._region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        authorization = f"AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**{name: signed[name] for name in signed if name != "host"}, "Authorization": authorization}


def _member(xml: str, name: str) -> str:
    match = re.search(rf"<{name}>(.*?)</{name}>", xml, re.DOTALL)
    return unescape(match[1]) if match else ""
