"""The certificate that HAProxy shows: one file of ours that it reads, and its renewal without a connection being cut.

A file that was renewed is handed to the running HAProxy over its socket; nothing is loaded anew, so nobody notices. One
that cannot be used, such as a certificate whose key is not there yet, changes nothing.

Run as a file, with nothing but the standard library: see amended.py, which is beside this one.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path

ANSWER_SECONDS = 5.0
DONE = b"Success!"


def combined(certificate: Path, key: Path | None) -> bytes:
    """A certificate chain and its key as one text, without empty lines, which would end it on HAProxy's socket.

    Raises:
        OSError: They cannot be read, or do not belong together.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    text = b"\n".join(file.read_bytes() for file in (certificate, key) if file)
    return b"".join(line + b"\n" for line in text.splitlines() if line.strip())


def write(certificate: Path, key: Path | None, target: Path) -> None:
    """Put both where HAProxy reads them, for its user alone; where they cannot be used, what is there stays.

    Raises:
        OSError: They cannot be used, and nothing is there.
    """
    try:
        _replace(target, combined(certificate, key))
    except OSError:
        if not target.exists():
            raise


def keep(certificate: Path, key: Path | None, target: Path, place: Path, pid: int, seconds: float) -> None:
    """Hand what was renewed to HAProxy, for as long as it lives.

    Args:
        certificate, key: Where they are renewed.
        target: What HAProxy has read.
        place: Of its socket.
        pid: Its process.
        seconds: Between two looks.
    """
    shown, problem = target.read_bytes(), ""
    while _lives(pid):
        time.sleep(seconds)
        try:
            renewed = combined(certificate, key)
            if renewed != shown:
                hand_over(renewed, target, place)
                _replace(target, renewed)
                shown, problem = renewed, ""
                print("the certificate was renewed", flush=True)
        except OSError as error:
            if problem != str(error):
                problem = str(error)
                print(f"the certificate is not renewed: {problem}", flush=True)


def hand_over(text: bytes, target: Path, place: Path) -> None:
    """Have HAProxy show another certificate to whoever connects from now on.

    Raises:
        OSError: It does not answer, or does not take it.
    """
    name = str(target).encode()
    for command in (b"set ssl cert " + name + b" <<\n" + text + b"\n", b"commit ssl cert " + name + b"\n"):
        answer = _answer(command, place)
    if DONE not in answer:
        with suppress(OSError):
            _answer(b"abort ssl cert " + name + b"\n", place)
        raise OSError(answer.decode(errors="replace").strip() or "HAProxy does not answer")


def _answer(command: bytes, place: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ANSWER_SECONDS)
        line.connect(str(place))
        line.sendall(command)
        answer = b""
        while part := line.recv(65_536):
            answer += part
        return answer


def _replace(target: Path, text: bytes) -> None:
    new = target.with_suffix(".new")
    with open(new, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(text)
    new.replace(target)


def _lives(pid: int) -> bool:
    """Whether it is HAProxy still, of whom we are a child."""
    return os.getppid() == pid


def main(arguments: list[str]) -> None:
    """``write CERTIFICATE KEY TARGET``, or ``keep CERTIFICATE KEY TARGET SOCKET PID SECONDS``; KEY may be empty."""
    what, certificate, key, target, *more = arguments
    files = Path(certificate), Path(key) if key else None, Path(target)
    if what == "write":
        try:
            write(*files)
        except OSError as error:
            sys.exit(f"{certificate}: {error}")
    else:
        place, pid, seconds = more
        keep(*files, Path(place), int(pid), float(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
