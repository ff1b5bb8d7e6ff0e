import unittest

from rangelist.ranges import RangeError, add, chunk, compact, expand, invert, parse, remove, span


class ParseTest(unittest.TestCase):
    def test_sorted(self):
        self.assertEqual(parse("9,1-3"), [(1, 3), (9, 9)])

    def test_overlaps_are_joined(self):
        self.assertEqual(parse("1-5,3-8"), [(1, 8)])
        self.assertEqual(parse("1-9,3-4"), [(1, 9)])

    def test_neighbours_are_joined(self):
        self.assertEqual(parse("1-3,4,5-6"), [(1, 6)])
        self.assertEqual(parse("1-3,5-6"), [(1, 3), (5, 6)])

    def test_spaces_and_empty_parts(self):
        self.assertEqual(parse(" 1 - 3 , , 5,"), [(1, 3), (5, 5)])
        self.assertEqual(parse(""), [])

    def test_range_of_one(self):
        self.assertEqual(parse("4-4"), [(4, 4)])

    def test_backwards(self):
        with self.assertRaises(RangeError):
            parse("5-4")

    def test_open_start(self):
        self.assertEqual(parse("-3"), [(0, 3)])
        self.assertEqual(parse("-3", low=1), [(1, 3)])

    def test_open_end(self):
        self.assertEqual(parse("7-", high=9), [(7, 9)])
        with self.assertRaises(RangeError):
            parse("7-")

    def test_open_end_with_high_zero(self):
        self.assertEqual(parse("0-", high=0), [(0, 0)])

    def test_star(self):
        self.assertEqual(parse("*", 2, 6), [(2, 6)])
        with self.assertRaises(RangeError):
            parse("*")

    def test_out_of_bounds(self):
        self.assertEqual(parse("1-9", 1, 9), [(1, 9)])
        for text in ("0-3", "8-10"):
            with self.assertRaises(RangeError):
                parse(text, 1, 9)

    def test_not_a_range(self):
        for text in ("a-3", "1-b", "1-2-3", "1.5", "+1"):
            with self.assertRaises(RangeError, msg=text):
                parse(text)


class ExpandTest(unittest.TestCase):
    def test_no_duplicates(self):
        self.assertEqual(expand("3,1-3,2"), [1, 2, 3])

    def test_limits_are_used(self):
        self.assertEqual(expand("-2,5-", 1, 6), [1, 2, 5, 6])

    def test_size_is_limited(self):
        self.assertEqual(len(expand("1-100000")), 100000)
        with self.assertRaises(RangeError):
            expand("0-100000")


class CompactTest(unittest.TestCase):
    def test_order_and_repeats(self):
        self.assertEqual(compact([5, 3, 4, 3, 9]), "3-5,9")

    def test_pairs_are_written_one_by_one(self):
        self.assertEqual(compact([1, 2, 4, 5, 6]), "1,2,4-6")

    def test_shortest(self):
        self.assertEqual(compact([1, 2, 4], shortest=2), "1-2,4")
        self.assertEqual(compact([1, 2, 3, 5, 6, 7, 8], shortest=4), "1,2,3,5-8")

    def test_single_number_is_no_range(self):
        self.assertEqual(compact([7], shortest=1), "7")

    def test_empty(self):
        self.assertEqual(compact([]), "")

    def test_generator(self):
        self.assertEqual(compact(n for n in range(4)), "0-3")

    def test_negative(self):
        with self.assertRaises(RangeError):
            compact([-1, 0])


class CombineTest(unittest.TestCase):
    def test_add_joins(self):
        self.assertEqual(add("1-3", "4-6"), "1-6")
        self.assertEqual(add("5", "1,2"), "1-2,5")
        self.assertEqual(add("", "3"), "3")

    def test_remove_at_the_ends(self):
        self.assertEqual(remove("1-9", "1-2,9"), "3-8")
        self.assertEqual(remove("1-9", "0-3"), "4-9")
        self.assertEqual(remove("1-9", "7-20"), "1-6")

    def test_remove_one_number(self):
        self.assertEqual(remove("1-3", "2"), "1,3")
        self.assertEqual(remove("5", "5"), "")

    def test_remove_elsewhere(self):
        self.assertEqual(remove("4-6", "1-3,7-9"), "4-6")
        self.assertEqual(remove("1-3", "7-9"), "1-3")

    def test_remove_several(self):
        self.assertEqual(remove("1-10,20-30", "3,5-6,8-25"), "1-2,4,7,26-30")

    def test_invert_at_the_limits(self):
        self.assertEqual(invert("1-2,9", 1, 9), "3-8")
        self.assertEqual(invert("1-8", 1, 9), "9")

    def test_invert_all_and_nothing(self):
        self.assertEqual(invert("", 1, 4), "1-4")
        self.assertEqual(invert("*", 1, 4), "")

    def test_invert_one_number_gap(self):
        self.assertEqual(invert("1,3", 1, 3), "2")
        self.assertEqual(invert("2", 1, 2), "1")


class SpanAndChunkTest(unittest.TestCase):
    def test_span_counts_once(self):
        self.assertEqual(span("8,1-3,2"), (1, 8, 4))

    def test_span_of_nothing(self):
        self.assertIsNone(span(""))

    def test_chunk_with_rest(self):
        self.assertEqual(chunk("1-3,7-10", 3), ["1-3", "7-9", "10"])

    def test_chunk_over_a_gap(self):
        self.assertEqual(chunk("1-2,5-6", 3), ["1-2,5", "6"])
        self.assertEqual(chunk("", 3), [])

    def test_chunk_size(self):
        self.assertEqual(chunk("1-2", 1), ["1", "2"])
        with self.assertRaises(ValueError):
            chunk("1-2", 0)
