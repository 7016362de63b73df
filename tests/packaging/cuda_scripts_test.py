"""The scripts in bench/cuda that need neither a GPU nor a package: python3 -m unittest discover -s tests/packaging -p '*_test.py'."""
import contextlib
import io
import pathlib
import struct
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "bench/cuda"
sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))
import keep_sm  # noqa: E402
import parts  # noqa: E402


def fat_binary(*pieces):
    """A container of (kind, architecture, payload)."""
    entries = b"".join(keep_sm.ENTRY.pack(kind, 0, keep_sm.ENTRY.size, len(code), 0, 0, 0, 0, sm) + code for kind, sm, code in pieces)
    return keep_sm.CONTAINER.pack(keep_sm.MAGIC, 1, keep_sm.CONTAINER.size, len(entries)) + entries


def library(content):
    """The least that is an ELF file with a section .nv_fatbin."""
    names = b"\0.nv_fatbin\0.shstrtab\0"
    tables = 64 + len(content) + len(names)
    header = b"\x7fELF\x02\x01".ljust(0x28, b"\0") + struct.pack("<Q", tables)
    header = header.ljust(0x3A, b"\0") + struct.pack("<HHH", 64, 2, 1)
    sections = [(1, 64, len(content)), (12, 64 + len(content), len(names))]
    return header + content + names + b"".join(
        struct.pack("<IIQQQQ", name, 1, 0, 0, offset, length).ljust(64, b"\0") for name, offset, length in sections)


class KeepOneArchitecture(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "library.so")

    def keep(self, sm, *containers):
        self.path.write_bytes(library(b"".join(containers)))
        with contextlib.redirect_stdout(io.StringIO()):
            keep_sm.main(self.path, sm)
        return self.path.read_bytes()

    def test_code_of_other_architectures_becomes_zeros_and_nothing_moves(self):
        before = [fat_binary((2, 80, b"eighty  "), (2, 90, b"ninety  ")), fat_binary((2, 90, b"more of "), (2, 120, b"twelve  "))]
        after = [fat_binary((2, 80, bytes(8)), (2, 90, b"ninety  ")), fat_binary((2, 90, b"more of "), (2, 120, bytes(8)))]

        self.assertEqual(self.keep("90", *before), library(b"".join(after)))

    def test_what_is_no_machine_code_stays(self):
        container = fat_binary((1, 80, b"assembly"), (2, 90, b"ninety  "))

        self.assertEqual(self.keep("90", container), library(container))

    def test_an_architecture_that_is_not_there_is_refused(self):
        with self.assertRaises(SystemExit):
            self.keep("75", fat_binary((2, 80, b"eighty  ")))


class Parts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bundle = self.folder / "bundle"
        (self.bundle / "app").mkdir(parents=True)
        (self.bundle / "app/large").write_bytes(struct.pack("<I", 7) * (parts.LARGE // 4))
        (self.bundle / "lorta").write_text("#!/bin/sh\n")
        (self.bundle / "lorta").chmod(0o755)

    def pack(self, name):
        with contextlib.redirect_stdout(io.StringIO()):
            parts.pack(self.bundle, self.folder / name, level="0")
        return [part.read_bytes() for part in parts.parts_of(self.folder / name)]

    def test_what_is_unpacked_is_what_was_packed(self):
        self.pack("b.tar.xz")
        parts.unpack(self.folder / "b.tar.xz", self.folder / "out")

        for name in ("app/large", "lorta"):
            self.assertEqual((self.folder / "out" / name).read_bytes(), (self.bundle / name).read_bytes())
            self.assertEqual((self.folder / "out" / name).stat().st_mode, (self.bundle / name).stat().st_mode)

    def test_the_same_files_give_the_same_archive(self):
        first = self.pack("one.tar.xz")
        (self.bundle / "lorta").touch()

        self.assertEqual(self.pack("two.tar.xz"), first)


if __name__ == "__main__":
    unittest.main()
