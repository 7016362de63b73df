#!/usr/bin/env python3
"""A folder as one .tar.xz in parts of limited size, with nothing but Python's standard library.

    parts.py pack FOLDER NAME.tar.xz [MEGABYTES] [LEVEL]    writes NAME.tar.xz.0, NAME.tar.xz.1 …
    parts.py unpack NAME.tar.xz FOLDER                      reads them again; FOLDER must not exist

The same files give the same archive. Large files are compressed as streams of their own, at the same time, and kept in NAME.tar.xz.cache:
who packs again after a change waits for what changed only.
"""
import concurrent.futures
import hashlib
import io
import lzma
import pathlib
import sys
import tarfile

LARGE = 20_000_000


def entry(info):
    """Whose a file is and when it was written is left out."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


def archived(folder, paths):
    """Files as they stand in a tar, without its end."""
    data = io.BytesIO()
    tar = tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT)
    for path in paths:
        tar.add(path, path.relative_to(folder), filter=entry)
    return data.getvalue()


def compressed(data, level, cache):
    kept = cache / f"{hashlib.sha256(data).hexdigest()}.{level}"
    if not kept.exists():
        kept.write_bytes(lzma.compress(data, preset=int(level)))
    return kept.read_bytes()


def parts_of(name):
    name = pathlib.Path(name)
    return sorted((part for part in name.parent.glob(f"{name.name}.*") if part.suffix[1:].isdigit()), key=lambda part: int(part.suffix[1:]))


def pack(folder, name, megabytes="30", level="9"):
    folder, cache = pathlib.Path(folder), pathlib.Path(f"{name}.cache")
    cache.mkdir(exist_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    large = [path for path in files if path.stat().st_size >= LARGE]
    streams = [archived(folder, [path]) for path in large] + [archived(folder, [path for path in files if path not in large])]
    streams.append(bytes(2 * tarfile.BLOCKSIZE))   # a tar ends with two empty blocks
    with concurrent.futures.ThreadPoolExecutor() as pool:
        data = b"".join(pool.map(lambda stream: compressed(stream, level, cache), streams))
    count = -(-len(data) // (int(megabytes) * 1_000_000))
    size = -(-len(data) // count)
    for old in parts_of(name):
        old.unlink()
    for part in range(count):
        pathlib.Path(f"{name}.{part}").write_bytes(data[part * size:(part + 1) * size])
    print(f"{name}: {len(data) / 1e6:.1f} MB in {count} parts")


def unpack(name, folder):
    parts = parts_of(name)
    if not parts:
        raise SystemExit(f"no parts {name}.0 …")
    pathlib.Path(folder).mkdir(parents=True)
    data = io.BytesIO(b"".join(part.read_bytes() for part in parts))
    with lzma.open(data) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        tar.extractall(folder)


if __name__ == "__main__":
    {"pack": pack, "unpack": unpack}[sys.argv[1]](*sys.argv[2:])
