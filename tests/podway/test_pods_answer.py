from __future__ import annotations

import json

from podway.pods.answer import PodSpec, Request, encode, reply

POD = PodSpec("web-1", "demo", "node-1", "127.128.1.10", ((8080, False),))


def asked(target: str = "/", *headers: tuple[str, str], **more: object) -> Request:
    request = Request(
        "GET", target, "HTTP/1.1", headers, ("127.1.1.1", 40000), ("127.128.1.10", 8080)
    )
    return request._replace(**more)


def test_says_who_it_is_and_what_it_saw() -> None:
    response = reply(POD, asked("/x?y=1", ("Host", "web"), ("X-Forwarded-For", "10.0.0.7")))
    text = response.body.decode()
    assert response.status == "200 OK"
    assert "web-1 (namespace demo) on node-1" in text
    assert "client     10.0.0.7\n" in text
    assert "127.1.1.1:40000 -> 127.128.1.10:8080" in text
    assert "GET /x?y=1 HTTP/1.1\nHost: web\n" in text


def test_the_client_is_the_peer_where_no_header_says_otherwise() -> None:
    facts = json.loads(reply(POD, asked("/?format=json")).body)
    assert facts["client"] == "127.1.1.1"


def test_json_when_asked_for_and_repeated_headers_as_one_list() -> None:
    accept = ("Accept", "application/json")
    response = reply(POD, asked("/", accept, ("Via", "a"), ("Via", "b"), tls="TLSv1.3"))
    facts = json.loads(response.body)
    assert response.content_type == "application/json"
    assert facts["headers"] == {"Accept": "application/json", "Via": "a, b"}
    assert facts["tls"] == "TLSv1.3"


def test_a_body_is_summed_up() -> None:
    request = asked("/?format=json", body_bytes=3, body_sha256="ab")
    assert json.loads(reply(POD, request).body)["body"] == {"bytes": 3, "sha256": "ab"}


def test_health() -> None:
    assert reply(POD, asked("/healthz")).body == b"ok\n"


def test_bytes_gives_filler_and_refuses_what_is_no_number() -> None:
    assert reply(POD, asked("/bytes/1000")).filler == 1000
    for count in ("", "-1", "1e3", "9" * 30, "٣"):
        assert reply(POD, asked(f"/bytes/{count}")).status == "400 Bad Request"


def test_the_head_names_the_pod_and_the_length() -> None:
    data = encode(reply(POD, asked("/healthz")), POD, keep=False)
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b"ok\n"
    for line in (
        b"X-Pod: demo/web-1",
        b"X-Node: node-1",
        b"Content-Length: 3",
        b"Connection: close",
    ):
        assert line in head.split(b"\r\n")
