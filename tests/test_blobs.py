"""One contract for every place blobs can be kept, and what the folder alone promises: order on the medium."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from intake.blobs import FolderBlobs, S3Blobs, open_blobs
from intake.errors import ConfigError, TransientError
from intake.settings import BlobSettings, Settings

S3_PORT = int(os.environ.get("DEV_S3_PORT", "29500"))
S3_URL = f"http://127.0.0.1:{S3_PORT}"
Opened = FolderBlobs | S3Blobs


def s3_settings(url: str = "s3://blobs/some/prefix", endpoint: str = S3_URL) -> BlobSettings:
    return BlobSettings(url=url, s3_endpoint=endpoint, s3_access_key="key", s3_secret_key=SecretStr("secret"))


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 server of our own with one bucket, ended by its id."""
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    program = Path(sys.executable).with_name("moto_server")
    server = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(S3_PORT)], stdout=log, stderr=log, close_fds=True
    )
    try:
        deadline = time.monotonic() + 60
        while not listening(S3_PORT):
            assert server.poll() is None, "moto_server has ended"
            assert time.monotonic() < deadline, "moto_server does not listen"
            time.sleep(0.05)
        urllib.request.urlopen(urllib.request.Request(f"{S3_URL}/blobs", method="PUT")).close()
        yield S3_URL
    finally:
        server.terminate()
        server.wait(10)
        log.close()


@pytest.fixture(params=["folder", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    """The blobs of a kind, empty."""
    opened = open_kind(request, tmp_path)
    yield opened
    await opened.close()


def open_kind(request: pytest.FixtureRequest, folder: Path) -> Opened:
    if request.param == "folder":
        return FolderBlobs(folder / "blobs")
    request.getfixturevalue("s3")
    return S3Blobs(s3_settings(f"s3://blobs/{folder.name}"))


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[FolderBlobs]:
    opened = FolderBlobs(tmp_path / "blobs")
    yield opened
    await opened.close()


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def broken(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
    raise ConnectionResetError


def files(path: Path) -> list[str]:
    return sorted(str(found.relative_to(path)) for found in path.rglob("*") if found.is_file())


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# the contract


@pytest.mark.parametrize("data", [b"", b"merhaba", bytes(range(256)) * 4096 * 3])
async def test_what_is_put_can_be_got(blobs: Opened, data: bytes) -> None:
    """A blob is named by its sha256 and comes back byte for byte, whole and in pieces."""
    name = await blobs.put(data)
    assert name == digest_of(data)
    assert await blobs.get(name) == data
    assert b"".join([piece async for piece in blobs.stream(name)]) == data


async def test_put_twice_is_the_same_blob(blobs: Opened) -> None:
    """Storing what is there already is no error."""
    assert await blobs.put(b"twice") == await blobs.put(b"twice")
    assert await blobs.get(digest_of(b"twice")) == b"twice"


async def test_the_same_content_put_at_once_by_many(blobs: Opened) -> None:
    """Concurrent writers of one content all succeed, whole or as a stream."""
    data = b"at once" * 1000
    stored = await asyncio.gather(
        *(blobs.put(data) for _ in range(10)), *(blobs.put_stream(pieces(data), 10_000) for _ in range(10))
    )
    assert {entry if isinstance(entry, str) else entry[0] for entry in stored} == {digest_of(data)}
    assert await blobs.get(digest_of(data)) == data


async def test_a_stream_gives_digest_size_and_head(blobs: Opened) -> None:
    """A stream of any cut is stored like its whole; the head is its first 8 KiB."""
    data = os.urandom(700_000)
    chunks = [data[at : at + 9_001] for at in range(0, len(data), 9_001)]
    assert await blobs.put_stream(pieces(*chunks), len(data)) == (digest_of(data), len(data), data[:8192])
    assert await blobs.get(digest_of(data)) == data


async def test_an_empty_stream_is_a_blob(blobs: Opened) -> None:
    """Nothing at all is content, too."""
    assert await blobs.put_stream(pieces(), 10) == (digest_of(b""), 0, b"")
    assert await blobs.get(digest_of(b"")) == b""


async def test_a_stream_above_its_limit_is_refused(blobs: Opened) -> None:
    """One byte too many is a ValueError, and no blob."""
    with pytest.raises(ValueError, match="more than 10 bytes"):
        await blobs.put_stream(pieces(b"12345", b"678901"), 10)
    with pytest.raises(FileNotFoundError):
        await blobs.get(digest_of(b"12345678901"))


@pytest.mark.parametrize(
    "name", ["", "a" * 63, "A" * 64, "a" * 65, "../" * 21 + "a", "a" * 64 + "\n", "/etc/passwd"]
)
async def test_other_names_find_nothing(blobs: Opened, name: str) -> None:
    """Only 64 hex digits name a blob, so that no path can be smuggled in."""
    with pytest.raises(FileNotFoundError):
        await blobs.get(name)
    with pytest.raises(FileNotFoundError):
        await anext(blobs.stream(name))


async def test_an_unknown_blob_is_not_found(blobs: Opened) -> None:
    """A missing blob is a FileNotFoundError, in a stream on its first piece."""
    with pytest.raises(FileNotFoundError):
        await blobs.get("0" * 64)
    with pytest.raises(FileNotFoundError):
        await anext(blobs.stream("0" * 64))


async def test_blobs_that_work_pass_the_check(blobs: Opened) -> None:
    """Readiness is green where something could be stored, and the check leaves no blob."""
    await blobs.check()


# the folder


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EMFILE, errno.EDQUOT])
@pytest.mark.parametrize("call", ["open", "fsync", "link"])
async def test_a_refusing_medium_is_transient_and_leaves_nothing(
    folder: FolderBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """Whatever step fails, the caller may try again later and no part of the blob stays."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, refuse)
        with pytest.raises(TransientError, match=os.strerror(code)):
            await folder.put(b"data")
        with pytest.raises(TransientError, match=os.strerror(code)):
            await folder.put_stream(pieces(b"data"), 10)
    assert files(tmp_path) == []
    assert await folder.put(b"data") == digest_of(b"data")


def test_a_real_write_error_is_transient(tmp_path: Path) -> None:
    """A write the kernel refuses (here: beyond the file size limit) is told like a full disk."""
    script = (
        "import asyncio, pathlib, resource, signal, sys; from intake.blobs import FolderBlobs\n"
        "from intake.errors import TransientError\n"
        "blobs = FolderBlobs(pathlib.Path(sys.argv[1]))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: asyncio.run(blobs.put(bytes(5000)))\n"
        "except TransientError: print('transient')\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert (child.stdout.strip(), files(tmp_path)) == ("transient", [])


async def test_a_folder_without_hard_links_serves(
    folder: FolderBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system knows no links the part is renamed."""

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    name = await folder.put(b"data")
    assert files(tmp_path) == [f"blobs/sha256/{name[:2]}/{name[2:]}"]


async def test_a_damaged_file_is_mended_by_the_next_put(folder: FolderBlobs, tmp_path: Path) -> None:
    """A file of the wrong size under a blob's name is replaced when its content is stored again."""
    name = await folder.put(b"data")
    (tmp_path / "blobs/sha256" / name[:2] / name[2:]).write_bytes(b"da")
    await folder.put(b"data")
    assert await folder.get(name) == b"data"


async def test_a_vanished_folder_is_not_made_anew(folder: FolderBlobs, tmp_path: Path) -> None:
    """An unmounted volume is an error to come back from, not an empty folder to fill."""
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    with pytest.raises(TransientError):
        await folder.put(b"data")
    with pytest.raises(TransientError):
        await folder.check()
    assert not (tmp_path / "blobs").exists()


async def test_a_failed_stream_leaves_nothing(folder: FolderBlobs, tmp_path: Path) -> None:
    """Too long, broken off or cancelled: no part stays."""
    with pytest.raises(ValueError, match="more than"):
        await folder.put_stream(pieces(bytes(300_000), bytes(300_000)), 500_000)
    with pytest.raises(ConnectionResetError):
        await folder.put_stream(broken(bytes(300_000)), 500_000)
    assert files(tmp_path) == []


async def test_a_cancelled_stream_leaves_nothing(folder: FolderBlobs, tmp_path: Path) -> None:
    """An upload whose client went away is swept up at once."""
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(300_000)
        waiting.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(folder.put_stream(endless(), 500_000))
    await waiting.wait()
    assert len(files(tmp_path)) == 1
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert files(tmp_path) == []


async def test_leftovers_are_swept_when_they_are_old(tmp_path: Path) -> None:
    """Parts a crash left behind go at the next start; a neighbour's that is being written stays."""
    parts = tmp_path / "tmp"
    parts.mkdir()
    (parts / "old").write_bytes(b"x")
    (parts / "young").write_bytes(b"x")
    os.utime(parts / "old", (time.time() - 3700,) * 2)
    await FolderBlobs(tmp_path).close()
    assert files(tmp_path) == ["tmp/young"]


async def test_the_event_loop_is_never_held(folder: FolderBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the medium is slow, the loop goes on: the blob is waited for in a thread."""
    loop, reached, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        loop.call_soon_threadsafe(reached.set)
        go_on.wait(10)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    storing = asyncio.create_task(folder.put(b"data"))
    await reached.wait()
    assert not storing.done()
    go_on.set()
    assert await storing == digest_of(b"data")


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    """A file in the place of the folder is said in one line."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot keep attachments here"):
        FolderBlobs(tmp_path / "file")


STORE_TWICE = """
import asyncio, pathlib, sys
from intake.blobs import FolderBlobs

async def main():
    blobs = FolderBlobs(pathlib.Path(sys.argv[1]))
    await blobs.put(b"data")
    await FolderBlobs(pathlib.Path(sys.argv[1])).put(b"data")

asyncio.run(main())
"""


def traced(strace: str, folder: Path) -> list[str]:
    """The calls that succeeded while one blob was stored twice, as "call path", digests as a star."""
    log = folder.with_name("log")
    calls = "trace=fsync,fdatasync,link,linkat,rename,renameat,renameat2,mkdir"
    program = [sys.executable, "-c", STORE_TWICE, str(folder)]
    subprocess.run([strace, "-f", "-y", "-e", calls, "-o", log, *program], check=True)
    succeeded = re.findall(r"(\w+)\(.*[<\"](/.+?)[>\"](?:, \d+)*\) += 0", log.read_text())
    return [
        f"{call} {re.sub('[0-9a-f]{32,}', '*', path.removeprefix(f'{folder}/'))}"
        for call, path in succeeded
        if path.startswith(str(folder))
    ]


def working_strace() -> str:
    """The path of strace where it may trace; a skip where it cannot be had, but not in CI."""
    found = shutil.which("strace") or ""
    works = found and subprocess.run([found, "-o", "/dev/null", "true"], check=False).returncode == 0
    if works:
        return found
    assert os.environ.get("CI") != "true", "strace is needed in CI"
    pytest.skip("strace cannot be had here")


def test_bytes_reach_the_medium_before_their_name_and_the_name_before_the_answer(tmp_path: Path) -> None:
    """fsync of the file, then its link, then fsync of its folder; a blob that is there is synced again."""
    shard = f"sha256/{digest_of(b'data')[:2]}"
    calls = traced(working_strace(), tmp_path / "blobs")
    first = calls.index("fsync tmp/*")
    assert calls[first : first + 5] == [
        "fsync tmp/*",
        f"mkdir {shard}",
        "fsync sha256",
        f"link {shard}/*",
        f"fsync {shard}",
    ]
    assert calls[-3:] == ["fsync sha256", f"fsync {shard}/*", f"fsync {shard}"]


# S3


async def test_an_unreachable_bucket_is_transient(s3: str) -> None:
    """A bucket that is not there refuses every call in a way that may end."""
    missing = S3Blobs(s3_settings("s3://no-such-bucket"))
    with pytest.raises(TransientError, match="blobs cannot be kept now"):
        await missing.put(b"data")
    with pytest.raises(TransientError, match="blobs cannot be kept now"):
        await missing.check()
    await missing.close()


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "http://bucket", "s3://Bucket", "bucket"])
def test_a_wrong_url_is_a_configuration_error(url: str) -> None:
    """A URL that names no bucket is refused at the start in one line."""
    with pytest.raises(ConfigError, match="expected s3://bucket"):
        S3Blobs(s3_settings(url))


async def test_the_settings_choose(tmp_path: Path) -> None:
    """No URL means a folder in the data folder, an s3:// URL means the bucket."""
    in_folder = open_blobs(Settings(data_dir=tmp_path))
    in_bucket = open_blobs(Settings(data_dir=tmp_path, blobs=s3_settings()))
    assert (type(in_folder), type(in_bucket)) == (FolderBlobs, S3Blobs)
    await in_folder.close()
    await in_bucket.close()
