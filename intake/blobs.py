"""Content-addressed bytes: in a folder, durable by our own few lines, or in an S3 bucket."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from intake.attachments import HEAD_BYTES
from intake.errors import ConfigError, TransientError
from intake.settings import BlobSettings, Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

T = TypeVar("T")

_NAME = re.compile(r"[0-9a-f]{64}\Z")
_PIECE_BYTES = 262_144
_LEFTOVER_S = 3600.0
_THREADS = 8  # measured: 8 waiting for fsync store twice as many files a second as 1
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_S3_TIMEOUT = "60s"
_S3_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_S3_PROBE = "probe"


def open_blobs(settings: Settings) -> FolderBlobs | S3Blobs:
    """The blobs `settings.blobs.url` names. Raises `ConfigError` for a URL or a folder that cannot serve."""
    if not settings.blobs.url:
        return FolderBlobs(settings.data_dir / "blobs")
    return S3Blobs(settings.blobs)


class FolderBlobs:
    """Blobs as files `sha256/ab/cd…` below one folder; several processes may share it.

    A name appears only after its bytes are on the medium (write, fsync, link), and `put` returns only after
    the folders that lead to it are, too.
    """

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "sha256"
        self._parts = folder / "tmp"
        self._durable: set[Path] = set()
        try:
            for path in (self._blobs, self._parts):
                _make_folders(path)
            _sweep(self._parts, time.time() - _LEFTOVER_S)
        except OSError as error:
            raise ConfigError(f"{folder}: cannot keep attachments here: {error.strerror}") from error
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")

    async def put(self, data: bytes) -> str:
        """Store and return the sha256 in hex. Raises `TransientError` when the medium refuses."""
        return await _in(self._pool, self._put, data)

    async def put_stream(self, chunks: AsyncIterator[bytes], limit: int) -> tuple[str, int, bytes]:
        """Store a stream; returns sha256, size and the first 8 KiB.

        Raises `ValueError` above `limit` bytes, `TransientError` when the medium refuses; nothing stays then.
        """
        part = self._parts / secrets.token_hex(16)
        spool = _Spool(lambda: _create(part))
        try:
            await _fill(spool, chunks, limit, self._pool)
            digest = await _in(self._pool, self._keep_spooled, spool, part)
        finally:
            # shielded, so that what a cancelled upload wrote goes as well
            await asyncio.shield(_in(self._pool, _discard, spool, part))
        return digest, spool.size, spool.head

    async def get(self, sha256: str) -> bytes:
        """All bytes. Raises `FileNotFoundError`, or `TransientError` when the medium refuses."""
        return await _in(self._pool, self._read, self._path(sha256))

    async def stream(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises `FileNotFoundError` on the first piece."""
        file = await _in(self._pool, self._open, self._path(sha256))
        with file:
            while piece := await _in(self._pool, file.read, _PIECE_BYTES):
                yield piece

    async def check(self) -> None:
        """Raises `TransientError` when nothing could be stored now."""
        await _in(self._pool, self._probe)

    async def close(self) -> None:
        """Let go of the threads; what has begun is finished."""
        await asyncio.to_thread(self._pool.shutdown)

    def _path(self, sha256: str) -> Path:
        _refuse_other_names(sha256)
        return self._blobs / sha256[:2] / sha256[2:]

    def _put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        with _refusals():
            if _has(path, len(data)):
                self._sync_stored(path)
                return digest
        part = self._parts / secrets.token_hex(16)
        try:
            with _refusals(), _create(part) as file:
                file.write(data)
                self._keep(file, part, path)
        finally:
            _unlink(part)
        return digest

    def _keep_spooled(self, spool: _Spool, part: Path) -> str:
        with _refusals(), spool.open() as file:
            digest = spool.digest.hexdigest()
            self._keep(file, part, self._path(digest))
        return digest

    def _keep(self, file: IO[bytes], part: Path, path: Path) -> None:
        """Give the written `part` its name: its bytes first, then the name, then the folders."""
        file.flush()
        # failpoint: blob written
        os.fsync(file.fileno())
        # failpoint: blob synced
        self._make_durable(path.parent)
        try:
            path.hardlink_to(part)
        except FileExistsError:
            if not _has(path, os.fstat(file.fileno()).st_size):
                part.replace(path)  # a file damaged from outside
            _fsync(path)
        except FileNotFoundError:
            self._durable.discard(path.parent)
            raise
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            part.replace(path)
        # failpoint: blob linked
        _fsync(path.parent)
        # failpoint: blob durable

    def _sync_stored(self, path: Path) -> None:
        """Make a name that exists durable: whoever made it may not have come so far."""
        self._make_durable(path.parent)
        _fsync(path)
        _fsync(path.parent)

    def _make_durable(self, folder: Path) -> None:
        if folder not in self._durable:
            # without parents: an unmounted volume must not be taken for an empty one
            folder.mkdir(mode=0o700, exist_ok=True)
            _fsync(folder.parent)
            self._durable.add(folder)

    def _open(self, path: Path) -> IO[bytes]:
        with _refusals(FileNotFoundError):
            return path.open("rb", buffering=0)

    def _read(self, path: Path) -> bytes:
        with _refusals(FileNotFoundError):
            return path.read_bytes()

    def _probe(self) -> None:
        part = self._parts / secrets.token_hex(16)
        try:
            with _refusals():
                self._blobs.stat()
                with _create(part) as file:
                    file.write(b"\0")
        finally:
            _unlink(part)


class S3Blobs:
    """Blobs as objects `<prefix>/sha256/ab/cd…` of a bucket; written once, never over one another."""

    def __init__(self, settings: BlobSettings) -> None:
        found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", settings.url)
        if found is None:
            raise ConfigError(
                "blobs.url: expected s3://bucket or s3://bucket/prefix, or nothing for a folder"
            )
        self._store = _s3_store(settings, found[1], (found[2] or "").strip("/"))
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="blobs")

    async def put(self, data: bytes) -> str:
        """Store and return the sha256 in hex. Raises `TransientError` when the service refuses."""
        digest = (await _in(self._pool, hashlib.sha256, data)).hexdigest()
        await self._create(digest, data)
        return digest

    async def put_stream(self, chunks: AsyncIterator[bytes], limit: int) -> tuple[str, int, bytes]:
        """Store a stream; returns sha256, size and the first 8 KiB.

        Raises `ValueError` above `limit` bytes, `TransientError` when the service refuses. The name is known
        at the end only, so the stream waits in a nameless local file.
        """
        spool = _Spool(tempfile.TemporaryFile)
        try:
            await _fill(spool, chunks, limit, self._pool)
            data = await _in(self._pool, spool.read)
        finally:
            await asyncio.shield(_in(self._pool, _discard, spool))
        digest = spool.digest.hexdigest()
        await self._create(digest, data)
        return digest, spool.size, spool.head

    async def get(self, sha256: str) -> bytes:
        """All bytes. Raises `FileNotFoundError`, or `TransientError` when the service refuses."""
        with _refusals(FileNotFoundError):
            found = await obstore.get_async(self._store, _key(sha256))
            return bytes(await found.bytes_async())

    async def stream(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises `FileNotFoundError` on the first piece."""
        with _refusals(FileNotFoundError):
            found = await obstore.get_async(self._store, _key(sha256))
            async for piece in found.stream(_PIECE_BYTES):
                yield bytes(piece)

    async def check(self) -> None:
        """Raises `TransientError` when nothing could be stored now."""
        with _refusals():
            await obstore.put_async(self._store, _S3_PROBE, b"", mode="overwrite")

    async def close(self) -> None:
        """Let go of the threads."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _create(self, digest: str, data: bytes) -> None:
        with _refusals(), suppress(AlreadyExistsError):
            await obstore.put_async(self._store, _key(digest), data, mode="create", use_multipart=False)


class _Spool:
    """A stream on its way into a file.

    The file is opened by the thread that writes first, and used by one thread at a time: a cancelled task
    leaves its thread behind, and discarding waits for that one.
    """

    def __init__(self, opener: Callable[[], IO[bytes]]) -> None:
        self._opener = opener
        self._file: IO[bytes] | None = None
        self._over = False
        self._lock = Lock()
        self.digest = hashlib.sha256()
        self.size = 0
        self.head = b""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        with self._lock:
            if self._over:
                raise TransientError("the upload is over")
            self._file = self._file or self._opener()
            yield self._file

    def write(self, data: bytes) -> None:
        with _refusals(), self.open() as file:
            file.write(data)
            self.digest.update(data)
            self.size += len(data)
            self.head += data[: HEAD_BYTES - len(self.head)]

    def read(self) -> bytes:
        with _refusals(), self.open() as file:
            file.seek(0)
            return file.read()

    def discard(self) -> None:
        with self._lock, suppress(OSError):
            self._over = True
            if self._file:
                self._file.close()


async def _fill(spool: _Spool, chunks: AsyncIterator[bytes], limit: int, pool: ThreadPoolExecutor) -> None:
    taken, waiting = 0, bytearray()
    async for chunk in chunks:
        taken += len(chunk)
        if taken > limit:
            raise ValueError(f"more than {limit} bytes")
        waiting += chunk
        if len(waiting) >= _PIECE_BYTES:
            await _in(pool, spool.write, bytes(waiting))
            waiting.clear()
    await _in(pool, spool.write, bytes(waiting))


def _discard(spool: _Spool, part: Path | None = None) -> None:
    spool.discard()
    if part:
        _unlink(part)


async def _in(pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)


@contextmanager
def _refusals(*allowed: type[Exception]) -> Iterator[None]:
    """Turn what the medium says into `TransientError`: nothing was taken, the same call may succeed later."""
    try:
        yield
    except allowed:
        raise
    except (OSError, BaseError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise TransientError(f"blobs cannot be kept now: {reason}") from error


def _refuse_other_names(sha256: str) -> None:
    if not _NAME.match(sha256):
        raise FileNotFoundError(errno.ENOENT, "not the name of a blob")


def _key(sha256: str) -> str:
    _refuse_other_names(sha256)
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def _s3_store(settings: BlobSettings, bucket: str, prefix: str) -> S3Store:
    client: ClientConfig = {"timeout": _S3_TIMEOUT, "connect_timeout": "5s"}
    config: S3Config = {"region": settings.s3_region, "virtual_hosted_style_request": False}
    if settings.s3_endpoint:
        config["endpoint"] = settings.s3_endpoint
        client["allow_http"] = settings.s3_endpoint.startswith("http://")
    if settings.s3_access_key and settings.s3_secret_key:
        config["access_key_id"] = settings.s3_access_key
        config["secret_access_key"] = settings.s3_secret_key.get_secret_value()
    return S3Store(
        bucket, prefix=prefix or None, config=config, client_options=client, retry_config=_S3_RETRIES
    )


def _create(part: Path) -> IO[bytes]:
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")


def _unlink(part: Path) -> None:
    with suppress(OSError):
        part.unlink(missing_ok=True)


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folders(path: Path) -> None:
    """`mkdir -p` whose every new entry is durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    for folder in {path, *missing}:
        _fsync(folder.parent)


def _sweep(parts: Path, before: float) -> None:
    """Remove what crashed writers left; a part still being written is younger."""
    for part in parts.iterdir():
        with suppress(OSError):
            if part.stat().st_mtime < before:
                part.unlink()
