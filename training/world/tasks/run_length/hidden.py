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


class PairsTest(unittest.TestCase):
    def test_encode_nothing(self):
        self.assertEqual(encode(""), [])
        self.assertEqual(encode([]), [])

    def test_encode_only_neighbours(self):
        self.assertEqual(encode("abba"), [("a", 1), ("b", 2), ("a", 1)])

    def test_encode_any_items(self):
        self.assertEqual(encode([1, 1, None]), [(1, 2), (None, 1)])

    def test_decode_zero_length(self):
        self.assertEqual(decode([("a", 0), ("b", 1)]), ["b"])
        self.assertEqual(decode([]), [])

    def test_decode_negative_length(self):
        with self.assertRaisesRegex(ValueError, "'a'"):
            decode([("b", 1), ("a", -1)])


class CompressTest(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(compress(""), "")
        self.assertEqual(decompress(""), "")

    def test_single_letters_have_no_count(self):
        self.assertEqual(compress("abc"), "abc")

    def test_runs_of_two_by_default(self):
        self.assertEqual(compress("aabbb"), "2a3b")

    def test_min_run(self):
        self.assertEqual(compress("aabbb", min_run=3), "aa3b")
        self.assertEqual(compress("aabbbb", min_run=4), "aa4b")

    def test_min_run_below_two(self):
        self.assertEqual(compress("abb", min_run=1), "a2b")

    def test_long_runs(self):
        self.assertEqual(compress("x" * 120), "120x")
        self.assertEqual(decompress("120x"), "x" * 120)

    def test_digits_are_escaped(self):
        self.assertEqual(compress("a1"), "a\\1")
        self.assertEqual(compress("777"), "3\\7")

    def test_short_runs_of_digits(self):
        self.assertEqual(compress("77", min_run=3), "\\7\\7")

    def test_backslashes_are_escaped(self):
        self.assertEqual(compress("\\"), "\\\\")
        self.assertEqual(compress("\\\\\\"), "3\\\\")

    def test_decompress_escapes(self):
        self.assertEqual(decompress("3\\7a"), "777a")
        self.assertEqual(decompress("2\\\\x"), "\\\\x")

    def test_decompress_count_of_zero(self):
        for text in ("0a", "00a", "a0b"):
            with self.assertRaises(ValueError):
                decompress(text)

    def test_decompress_cut_short(self):
        for text in ("a3", "3", "a\\", "3\\"):
            with self.assertRaises(ValueError):
                decompress(text)

    def test_decompress_count_ends_with_its_letter(self):
        self.assertEqual(decompress("2ab"), "aab")
        self.assertEqual(decompress("2a3b"), "aabbb")
        self.assertEqual(decompress("1a10b"), "a" + "b" * 10)

    def test_round_trip(self):
        for text in ("", "a", "aab\\\\11 2", "((((", "0000", "é\n\n"):
            for min_run in (1, 2, 3):
                self.assertEqual(decompress(compress(text, min_run)), text)


class PackBitsTest(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(pack_bits(b""), b"")
        self.assertEqual(unpack_bits(b""), b"")

    def test_literals(self):
        self.assertEqual(pack_bits(b"abc"), b"\x02abc")
        self.assertEqual(pack_bits(b"a"), b"\x00a")

    def test_runs(self):
        self.assertEqual(pack_bits(b"aa"), bytes([255, 97]))
        self.assertEqual(pack_bits(b"aaabbb"), bytes([254, 97, 254, 98]))

    def test_literals_before_and_after_runs(self):
        self.assertEqual(pack_bits(b"abccd"), b"\x01ab\xffc\x00d")

    def test_run_limit(self):
        self.assertEqual(pack_bits(b"z" * 128), bytes([129, 122]))
        self.assertEqual(pack_bits(b"z" * 129), bytes([129, 122, 0, 122]))
        self.assertEqual(pack_bits(b"z" * 130), bytes([129, 122, 255, 122]))

    def test_literal_limit(self):
        data = bytes(range(130))
        self.assertEqual(pack_bits(data[:128]), b"\x7f" + data[:128])
        self.assertEqual(pack_bits(data), b"\x7f" + data[:128] + b"\x01" + data[128:])

    def test_round_trip(self):
        for data in (b"aab" * 50, bytes(200), bytes(range(256)) * 2, b"ab" + b"c" * 300):
            self.assertEqual(unpack_bits(pack_bits(data)), data)

    def test_unpack_skips_128(self):
        self.assertEqual(unpack_bits(b"\x80\x00a\x80"), b"a")

    def test_unpack_cut_short(self):
        for packed in (b"\x02ab", b"\xff", b"\x00a\x00"):
            with self.assertRaises(ValueError):
                unpack_bits(packed)


class RangesTest(unittest.TestCase):
    def test_format_sorts_and_drops_repeats(self):
        self.assertEqual(format_ranges([5, 3, 4, 4, 9]), "3-5,9")
        self.assertEqual(format_ranges([]), "")

    def test_format_pairs(self):
        self.assertEqual(format_ranges([1, 2, 4]), "1-2,4")
        self.assertEqual(format_ranges([1, 2, 4], shortest=1), "1-2,4")

    def test_format_shortest(self):
        self.assertEqual(format_ranges([1, 2, 4, 5, 6], shortest=3), "1,2,4-6")

    def test_parse_overlaps(self):
        self.assertEqual(parse_ranges("4-6,1,5-7,1"), [1, 4, 5, 6, 7])
        self.assertEqual(parse_ranges("8,1,64"), [1, 8, 64])

    def test_parse_blanks(self):
        self.assertEqual(parse_ranges(" 1 - 2 , 4 "), [1, 2, 4])
        self.assertEqual(parse_ranges("  "), [])

    def test_parse_range_of_one_and_reversed(self):
        self.assertEqual(parse_ranges("3-3"), [3])
        with self.assertRaisesRegex(ValueError, "reversed range: 5-4"):
            parse_ranges("1, 5-4")

    def test_parse_malformed(self):
        for text in ("a", "1,,2", "-1", "1-", "1-2-3"):
            with self.assertRaises(ValueError):
                parse_ranges(text)


if __name__ == "__main__":
    unittest.main()
