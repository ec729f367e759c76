"""Read a Secret, a ConfigMap or a Namespace."""

from __future__ import annotations

import re

from ..model.config import ConfigMap, Namespace, Secret, SecretData
from ..model.meta import Meta
from ..parse.fields import Fields

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_SPACE = str.maketrans("", "", "\r\n")
_TLS_KEYS = ("tls.crt", "tls.key")


def read_secret(meta: Meta, body: Fields) -> Secret:
    """Read a Secret; its data is checked but not decoded, and no problem shows any of it."""
    kind = body.text("type", "Opaque") or "Opaque"
    encoded = {key: value.translate(_SPACE) for key, value in _hidden(body, "data").items()}
    plain = _hidden(body, "stringData")
    data = body.child("data")
    for key, value in encoded.items():
        if len(value) % 4 or _BASE64.fullmatch(value) is None:
            data.problem(key, "is not base64: encode it, or move it to stringData as it is")
    if kind == "kubernetes.io/tls":
        for key in _TLS_KEYS:
            if key not in encoded and key not in plain:
                data.problem(key, f"is missing: a Secret of type {kind} needs it")
    return Secret(meta, kind, SecretData(encoded, plain))


def read_config_map(meta: Meta, body: Fields) -> ConfigMap:
    """Read a ConfigMap's texts."""
    return ConfigMap(meta, body.mapping("data"))


def read_namespace(meta: Meta, body: Fields) -> Namespace:
    """Read a Namespace: all that counts is in its metadata."""
    del body
    return Namespace(meta)


def _hidden(body: Fields, key: str) -> dict[str, str]:
    return body.mapping(key, hidden=True)
