import unittest

from rlekit.runs import (
    compress,
    decode,
    decompress,
    encode,
    format_ranges,
    pack_bits,
    parse_ranges,
    unpack_bits,
)


class RunsTest(unittest.TestCase):
    def test_encode(self):
        self.assertEqual(encode("aaab"), [("a", 3), ("b", 1)])

    def test_decode(self):
        self.assertEqual(decode([("a", 2), ("b", 1)]), ["a", "a", "b"])

    def test_compress(self):
        self.assertEqual(compress("aaabcc"), "3ab2c")

    def test_decompress(self):
        self.assertEqual(decompress("3ab2c"), "aaabcc")

    def test_pack_bits(self):
        self.assertEqual(pack_bits(b"aaaab"), bytes([253, 97, 0, 98]))

    def test_unpack_bits(self):
        self.assertEqual(unpack_bits(bytes([253, 97, 0, 98])), b"aaaab")

    def test_format_ranges(self):
        self.assertEqual(format_ranges([1, 2, 3, 7]), "1-3,7")

    def test_parse_ranges(self):
        self.assertEqual(parse_ranges("1-3,7"), [1, 2, 3, 7])


if __name__ == "__main__":
    unittest.main()
