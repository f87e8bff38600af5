"""What of curl the documents use, for machines that have none: -s, -i, -N, -X, -H, -d and a URL, in any order."""

import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path


def folder_with_curl(folder: Path) -> list[str]:
    """What must be put before PATH so that there is a `curl`: nothing if there is one."""
    return [] if shutil.which("curl") else [str(put_curl_into(folder / "bin"))]


def put_curl_into(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    script = folder / "curl"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    script.chmod(0o755)
    return folder


def ask(arguments: list[str]) -> None:
    url, method, data, headers, shows_head = "", "", None, {}, False
    words = iter(arguments)
    for word in words:
        match word:
            case "-s" | "-N":
                pass
            case "-i":
                shows_head = True
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(":")
                headers[name] = value.strip()
            case "-d":
                data = next(words).encode()
            case _:
                url = word
    request = urllib.request.Request(url, data, headers, method=method or None)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        if shows_head:
            print(f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}", end="", flush=True)
        sys.stdout.buffer.write(answer.read())


if __name__ == "__main__":
    ask(sys.argv[1:])
