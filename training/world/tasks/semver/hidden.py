import unittest

from vertools.semver import Version, VersionError, latest, satisfies

ORDERED = [
    "0.9.9", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
    "1.0.0-beta", "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0",
]


def parse(text):
    return Version.parse(text)


class TestParse(unittest.TestCase):
    def assert_bad(self, *texts):
        for text in texts:
            with self.assertRaises(VersionError, msg=text):
                parse(text)

    def test_fields(self):
        version = parse("10.20.30-a.1+x.y")
        self.assertEqual((version.major, version.minor, version.patch), (10, 20, 30))
        self.assertEqual((version.pre, version.build), (("a", "1"), ("x", "y")))

    def test_without_pre_and_build(self):
        self.assertEqual((parse("1.2.3").pre, parse("1.2.3").build), ((), ()))

    def test_white_space_and_v(self):
        self.assertEqual(str(parse("  v1.2.3 ")), "1.2.3")
        self.assert_bad("vv1.2.3", "V1.2.3", "1.2.3v")

    def test_number_of_numbers(self):
        self.assert_bad("", "1", "1.2", "1.2.3.4", "1..2")

    def test_leading_zeros(self):
        self.assertEqual(str(parse("0.0.0")), "0.0.0")
        self.assert_bad("01.2.3", "1.00.3", "1.2.03")

    def test_not_a_number(self):
        self.assert_bad("a.b.c", "1.2.x", "1.-2.3", "1.2.²")

    def test_dash_in_pre_and_build(self):
        self.assertEqual(parse("1.0.0-a-b").pre, ("a-b",))
        self.assertEqual((parse("1.0.0+a-b").pre, parse("1.0.0+a-b").build), ((), ("a-b",)))

    def test_bad_identifiers(self):
        self.assert_bad("1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-a_b", "1.0.0+a+b")

    def test_error_messages(self):
        for text, message in [("1.2", "expected three numbers: '1.2'"), ("1.02.3", "leading zero: '02'"),
                              ("1.x.3", "not a number: 'x'"), ("1.2.3-a!", "bad identifier: 'a!'")]:
            with self.assertRaises(VersionError) as caught:
                parse(text)
            self.assertEqual(str(caught.exception), message)

    def test_str_round_trip(self):
        for text in ("1.2.3", "1.0.0-rc.1", "1.0.0+b.7", "1.0.0-x+y"):
            self.assertEqual(str(parse(text)), text)

    def test_defaults(self):
        self.assertEqual(str(Version(3)), "3.0.0")


class TestOrder(unittest.TestCase):
    def test_precedence(self):
        versions = [parse(text) for text in ORDERED]
        self.assertEqual([str(v) for v in sorted(reversed(versions))], ORDERED)

    def test_neighbours_compare_strictly(self):
        for low, high in zip(ORDERED, ORDERED[1:]):
            self.assertTrue(parse(low) < parse(high), (low, high))
            self.assertFalse(parse(high) <= parse(low), (low, high))

    def test_build_is_ignored(self):
        self.assertEqual(parse("1.0.0+a"), parse("1.0.0+b"))
        self.assertFalse(parse("1.0.0+a") < parse("1.0.0+b"))
        self.assertEqual(len({parse("1.0.0+a"), parse("1.0.0")}), 1)

    def test_pre_is_not_ignored(self):
        self.assertNotEqual(parse("1.0.0-a"), parse("1.0.0"))

    def test_other_types(self):
        self.assertFalse(parse("1.0.0") == "1.0.0")
        with self.assertRaises(TypeError):
            parse("1.0.0") < "2.0.0"


class TestBump(unittest.TestCase):
    def assert_bumps(self, text, **expected):
        for part, result in expected.items():
            self.assertEqual(str(parse(text).bump(part)), result, (text, part))

    def test_release(self):
        self.assert_bumps("1.2.3", major="2.0.0", minor="1.3.0", patch="1.2.4")

    def test_pre_and_build_go(self):
        self.assert_bumps("1.2.3-a+b", major="2.0.0", minor="1.3.0", patch="1.2.3")
        self.assert_bumps("1.2.3+b", patch="1.2.4")

    def test_pre_of_major(self):
        self.assert_bumps("2.0.0-rc.1", major="2.0.0", minor="2.0.0", patch="2.0.0")

    def test_pre_of_minor(self):
        self.assert_bumps("1.2.0-rc.1", major="2.0.0", minor="1.2.0", patch="1.2.0")
        self.assert_bumps("1.0.1-rc.1", major="2.0.0", minor="1.1.0", patch="1.0.1")

    def test_release_of_zeros(self):
        self.assert_bumps("2.0.0", major="3.0.0", minor="2.1.0", patch="2.0.1")

    def test_unknown_part(self):
        with self.assertRaises(VersionError):
            parse("1.0.0").bump("build")


class TestRanges(unittest.TestCase):
    def assert_fits(self, spec, yes, no):
        for text in yes.split():
            self.assertIs(satisfies(text, spec), True, (text, spec))
        for text in no.split():
            self.assertIs(satisfies(text, spec), False, (text, spec))

    def test_bounds(self):
        self.assert_fits(">1.2.0", "1.2.1 2.0.0", "1.2.0 1.1.9")
        self.assert_fits(">=1.2.0", "1.2.0 1.2.1", "1.1.9 1.2.0-rc.1")
        self.assert_fits("<1.2.0", "1.1.9 1.2.0-rc.1", "1.2.0 1.2.1")
        self.assert_fits("<=1.2.0", "1.2.0 0.1.0", "1.2.1")

    def test_exact(self):
        self.assert_fits("=1.2.0", "1.2.0 1.2.0+b", "1.2.1 1.2.0-a")
        self.assert_fits("1.2.0", "1.2.0 v1.2.0", "1.2.1 1.1.0")

    def test_caret(self):
        self.assert_fits("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 0.9.0")

    def test_caret_below_one(self):
        self.assert_fits("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2 1.0.0")

    def test_tilde(self):
        self.assert_fits("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0 2.2.5")

    def test_all_clauses_must_hold(self):
        self.assert_fits(">=1.0.0 <2.0.0", "1.0.0 1.9.9", "0.9.9 2.0.0")

    def test_alternatives(self):
        self.assert_fits("^1.0.0 || >=3.0.0 <3.1.0", "1.5.0 3.0.5", "2.0.0 3.1.0")

    def test_version_objects(self):
        self.assertIs(satisfies(Version(1, 1), "~1.1.0"), True)

    def test_bad_ranges(self):
        for spec in ("", "  ", "1.0.0 ||", ">=", "=>1.0.0", ">=1", "2.0.0 <x"):
            with self.assertRaises(VersionError, msg=spec):
                satisfies("1.0.0", spec)

    def test_latest(self):
        self.assertEqual(latest(["1.2.0", "1.10.0", "1.9.9"]), "1.10.0")
        self.assertEqual(latest(["1.0.0", "1.4.0", "2.0.0"], "^1.0.0"), "1.4.0")

    def test_latest_of_nothing(self):
        self.assertIsNone(latest([]))
        self.assertIsNone(latest(["1.0.0"], ">1.0.0"))

    def test_latest_and_pre_releases(self):
        texts = ["1.0.0", "2.0.0-rc.1"]
        self.assertEqual(latest(texts), "1.0.0")
        self.assertEqual(latest(texts, ">=1.0.0"), "1.0.0")
        self.assertEqual(latest(texts, allow_pre=True), "2.0.0-rc.1")
        self.assertEqual(latest(texts, "<2.0.0-rc.1", allow_pre=True), "1.0.0")

    def test_latest_keeps_the_text_of_the_first(self):
        self.assertEqual(latest(["v1.0.0", "1.0.0+b", "0.1.0"]), "v1.0.0")
        self.assertEqual(latest(["0.1.0", "1.0.0", "v1.0.0"]), "1.0.0")


if __name__ == "__main__":
    unittest.main()
