#!/usr/bin/env python3
"""Clears the machine code of every GPU architecture but one in a CUDA library, so that it packs to a quarter of its size.

    keep_sm.py LIBRARY [SM]      SM: 90 for H100 and H200 (the default), 80 for A100, 89 for L4 …

Nothing moves: the code of other architectures is overwritten with zeros where it stands, and the library loads as before.
"""
import mmap
import struct
import sys

CONTAINER = struct.Struct("<IHHQ")          # magic, version, bytes of this header, bytes of all entries
ENTRY = struct.Struct("<HHIQIIHHI")         # kind, -, bytes of this header, bytes of the payload, -, -, -, -, architecture
MAGIC = 0xBA55ED50
MACHINE_CODE = 2


def section(library, wanted):
    """Start and end of a section of a 64-bit little-endian ELF file."""
    if library[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("not a 64-bit little-endian ELF file")
    table, = struct.unpack_from("<Q", library, 0x28)
    size, count, names = struct.unpack_from("<HHH", library, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", library, table + i * size) for i in range(count)]   # name, type, flags, address, offset, bytes
    for name, _, _, _, offset, length in headers:
        start = headers[names][4] + name
        if library[start:library.find(b"\0", start)] == wanted:
            return offset, offset + length
    raise SystemExit(f"no section {wanted.decode()}")


def entries(library, start, end):
    """Architecture, start and end of every piece of machine code."""
    while (start := library.find(struct.pack("<I", MAGIC), start, end)) >= 0:
        _, _, header, length = CONTAINER.unpack_from(library, start)
        start += header
        stop = start + length
        while start < stop:
            kind, _, header, length, *_, sm = ENTRY.unpack_from(library, start)
            if kind == MACHINE_CODE:
                yield sm, start + header, start + header + length
            start += header + length


def main(path, keep="90"):
    kept, cleared = 0, 0
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as library:
        for sm, start, end in entries(library, *section(library, b".nv_fatbin")):
            if sm == int(keep):
                kept += end - start
            else:
                library[start:end] = bytes(end - start)
                cleared += end - start
    print(f"sm_{keep}: {kept / 1e6:.1f} MB kept, {cleared / 1e6:.1f} MB cleared")
    if not kept:
        raise SystemExit(f"{path} has no machine code for sm_{keep}")


if __name__ == "__main__":
    main(*sys.argv[1:])
