import unittest

from vertools.semver import Version, VersionError, latest, satisfies


class TestVersion(unittest.TestCase):
    def test_parse(self):
        version = Version.parse("1.2.3")
        self.assertEqual((version.major, version.minor, version.patch), (1, 2, 3))

    def test_parse_pre_and_build(self):
        version = Version.parse("1.0.0-rc.1+b5")
        self.assertEqual((version.pre, version.build), (("rc", "1"), ("b5",)))

    def test_bad_version_raises(self):
        with self.assertRaises(VersionError):
            Version.parse("1.2")

    def test_str(self):
        self.assertEqual(str(Version(1, 2, 3)), "1.2.3")

    def test_order(self):
        self.assertLess(Version.parse("1.2.3"), Version.parse("1.3.0"))
        self.assertLess(Version.parse("1.0.0-rc.1"), Version.parse("1.0.0"))

    def test_bump(self):
        self.assertEqual(str(Version(1, 2, 3).bump("minor")), "1.3.0")
        self.assertEqual(str(Version(1, 2, 3).bump("patch")), "1.2.4")

    def test_satisfies(self):
        self.assertTrue(satisfies("1.5.0", ">=1.2.0 <2.0.0"))
        self.assertFalse(satisfies("2.1.0", ">=1.2.0 <2.0.0"))
        self.assertTrue(satisfies("1.9.0", "^1.2.0"))

    def test_latest(self):
        self.assertEqual(latest(["1.0.0", "1.10.0", "1.9.0"]), "1.10.0")
