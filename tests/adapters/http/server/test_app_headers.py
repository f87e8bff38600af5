"""Of where a request comes from only the origin is stored: what stands in the log can never be erased."""

import pytest

from adapters.inbound.http.server.request_headers import MAX_APP, read_headers


@pytest.mark.parametrize(
    ("referer", "stored"),
    [
        ("https://user:password@shop.example/users/jane@example.com?x", "https://shop.example"),
        ("https://jane@doe:p@ss@Shop.Example:8443#top", "https://shop.example:8443"),
        ("HTTP://localhost:3000", "http://localhost:3000"),
        ("http://[2001:db8::1]:80/a", "http://[2001:db8::1]:80"),
        ("app://com.example.phone/screen", "app://com.example.phone"),
        ("https://shop.example?user=jane", "https://shop.example"),
        ("/users/jane", ""),
        ("jane@example.com", ""),
        ("mailto:jane@example.com", ""),
        ("https://us er@shop.example/", "https://shop.example"),
        ("https://shop example/", ""),
        ("https:///jane", ""),
        ("https://shop.example\\@evil.example/", ""),
        (f"https://{'a' * MAX_APP}.example/", ""),
    ],
)
def test_a_referrer_is_reduced_to_its_origin(referer: str, stored: str) -> None:
    for name in (b"http-referer", b"referer"):
        assert read_headers([(name, referer.encode())]).app == stored


def test_todays_title_counts_before_the_older_one_and_neither_is_the_origin() -> None:
    headers = [(b"http-referer", b"https://a.example"), (b"x-title", b"Old")]
    assert (read_headers(headers).title, read_headers(headers).app) == ("Old", "https://a.example")
    assert read_headers([*headers, (b"x-openrouter-title", b"New")]).title == "New"
    assert read_headers([(b"x-title", b"Old")]).app == ""
