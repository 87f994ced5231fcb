"""What a recording may ask of the machine, and the download of an address within these limits."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import socket
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, fields
from typing import IO, Any

from .frames_sed import InputError

VARIABLE = "SED_LIMITS"
REDIRECTIONS = 5
PORTS = {"http": 80, "https": 443}
SAFE = "%/:=&?~#+!$,;'@()*[]"  # characters of addresses that are not quoted


@dataclass(frozen=True)
class AudioLimits:
    """Limits of a recording; its length is limited by ``max_duration``.

    Attributes:
        channels: number of them.
        sampling_rate: in Hz.
        download_bytes: of the file at an address.
        download_seconds: for a download in all.
        answer_seconds: for which a server may say nothing.
    """

    channels: float = 64
    sampling_rate: float = 768_000
    download_bytes: float = 2**31
    download_seconds: float = 3600.0
    answer_seconds: float = 30.0

    @classmethod
    def in_force(cls) -> AudioLimits:
        """The defaults, or what the environment variable says: ``SED_LIMITS="channels=128 download_bytes=8e9"``.

        Raises:
            InputError: if the variable names no limit, or a value is not a number above 0.
        """
        given = os.environ.get(VARIABLE, "")
        pairs = [pair.partition("=") for pair in given.replace(",", " ").split()]
        names = [field.name for field in fields(cls)]
        try:
            values = {name: float(value) for name, _, value in pairs}
            if values.keys() - set(names) or not all(value > 0 for value in values.values()):
                raise ValueError
        except ValueError as error:
            raise InputError(f"{VARIABLE}={given}: must be NAME=NUMBER of {', '.join(names)}.") from error
        return cls(**values)


def check_limit(limit: str, value: float, name: str, unit: str) -> None:
    """Raises an `InputError` if a recording has more than a limit allows.

    Args:
        limit: name of an attribute of `AudioLimits`.
        value: what the recording has.
        name: of the recording.
        unit: of the value.
    """
    if value > getattr(AudioLimits.in_force(), limit):
        raise too_much(limit, value, f"{name}: {value:.15g} {unit}")


def too_much(limit: str, value: float, what: str) -> InputError:
    """Says that ``what`` exceeds a limit, and which ``value`` of it would do."""
    remedy = f"{VARIABLE}={limit}={value:.15g} in the environment allows more"
    return InputError(f"{what}; {limit} is limited to {getattr(AudioLimits.in_force(), limit):.15g}: {remedy}.")


def download(url: str, name: str) -> IO[bytes]:
    """The content of an http(s) address as a temporary file, which is at its beginning.

    Raises:
        InputError: if it cannot be had, or exceeds the limits; the message begins with ``name``.
    """
    limits = AudioLimits.in_force()
    deadline = time.monotonic() + limits.download_seconds
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the reader closes it
    try:
        with _opener().open(urllib.parse.quote(url, safe=SAFE), timeout=limits.answer_seconds) as response:
            while chunk := response.read1(2**16):
                file.write(chunk)
                size = file.tell() + (response.length or 0)  # with what the server says is to come
                if size > limits.download_bytes:
                    raise too_much("download_bytes", size, f"{name}: {size} bytes to download")
                if time.monotonic() > deadline:
                    raise too_much("download_seconds", 2 * limits.download_seconds, f"{name}: not downloaded yet")
            if response.length:  # of what is left
                raise InputError(f"{name}: the connection ended {response.length} bytes too early.")
    except (OSError, http.client.HTTPException, ValueError, OverflowError) as error:
        file.close()
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}: cannot be downloaded ({' '.join(str(error).split())}).") from error
    file.seek(0)
    return file


def _opener() -> urllib.request.OpenerDirector:
    """Of http and https alone, also where it is redirected to."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        *(urllib.request.ProxyHandler, _Http, _Https, _Redirections),
        *(urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor, urllib.request.UnknownHandler),
    ):
        opener.add_handler(handler())
    return opener


class _Prompt:
    """Hangs up on a server whose answer takes too long; the socket's own timeout is for each of its bytes."""

    def do_open(self, kind: Any, request: Any, **arguments: Any) -> Any:
        connections: list[http.client.HTTPConnection] = []
        hung_up = threading.Event()

        def connect(*place: Any, **options: Any) -> http.client.HTTPConnection:
            connections.append(kind(*place, **options))
            return connections[0]

        def hang_up() -> None:
            hung_up.set()
            with contextlib.suppress(OSError, AttributeError):  # not connected yet, or no longer
                connections[0].sock.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(request.timeout, hang_up)
        watch.daemon = True
        watch.start()
        try:
            response = super().do_open(connect, request, **arguments)  # type: ignore[misc]
            if hung_up.is_set():  # which looks like the end of the headers
                raise TimeoutError
            return response
        except (OSError, http.client.HTTPException) as error:
            is_late = hung_up.is_set() or isinstance(getattr(error, "reason", error), TimeoutError)
            raise TimeoutError(f"no answer within {request.timeout:g} s") if is_late else error from None
        finally:
            watch.cancel()


class _Http(_Prompt, urllib.request.HTTPHandler):
    pass


class _Https(_Prompt, urllib.request.HTTPSHandler):
    pass


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Not from https to http, and from others' servers not into a private network or this machine."""

    max_redirections = max_repeats = REDIRECTIONS
    inf_msg = f"more than {REDIRECTIONS} redirections: "

    def redirect_request(self, request: Any, response: Any, code: int, message: str, headers: Any, url: str) -> Any:
        before, after = urllib.parse.urlsplit(request.full_url), urllib.parse.urlsplit(url)
        if after.scheme not in ("https", before.scheme):
            raise OSError(f"redirected to {url}, not by https")
        places = [(place.hostname, place.port or PORTS[place.scheme]) for place in (before, after)]
        upgraded = [(after.hostname, PORTS["http"]), (after.hostname, PORTS["https"])]
        if places[0] != places[1] and places != upgraded and not _is_public(after):
            raise OSError(f"redirected to {url}, which is in a private network")
        return super().redirect_request(request, response, code, message, headers, url)


def _is_public(place: urllib.parse.SplitResult) -> bool:
    """Whether anybody can reach a server; where there is a proxy, that is its business."""
    host = place.hostname or ""
    if place.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return True
    addresses = {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)}
    return all(ipaddress.ip_address(address).is_global for address in addresses)
