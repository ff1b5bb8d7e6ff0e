import unittest

from rolegate.resolver import PolicyError, Resolver, Role, matches, specificity


class ResolverTest(unittest.TestCase):
    def setUp(self):
        self.resolver = Resolver()
        self.resolver.define(Role("reader", allow=("doc:read",)))
        self.resolver.define(Role("writer", allow=("doc:write",), parents=("reader",)))
        self.resolver.grant("ann", "writer")

    def test_matches(self):
        self.assertTrue(matches("doc:read", "doc:read"))
        self.assertTrue(matches("doc:*", "doc:read"))
        self.assertFalse(matches("doc:read", "doc:write"))

    def test_specificity(self):
        self.assertGreater(specificity("doc:read"), specificity("doc:*"))

    def test_own_and_inherited_permissions(self):
        self.assertTrue(self.resolver.decide("ann", "doc:write").allowed)
        self.assertTrue(self.resolver.decide("ann", "doc:read").allowed)
        self.assertFalse(self.resolver.decide("ann", "doc:delete").allowed)

    def test_unknown_role(self):
        with self.assertRaises(PolicyError):
            self.resolver.grant("ann", "admin")

    def test_deny(self):
        self.resolver.define(Role("muted", deny=("doc:write",)))
        self.resolver.grant("ann", "muted")
        self.assertFalse(self.resolver.decide("ann", "doc:write").allowed)

    def test_revoke(self):
        self.assertTrue(self.resolver.revoke("ann", "writer"))
        self.assertFalse(self.resolver.decide("ann", "doc:write").allowed)

    def test_roles_of(self):
        self.assertEqual(self.resolver.roles_of("ann"), ["writer", "reader"])
        self.assertEqual(self.resolver.lineage(["reader"]), ["reader"])

    def test_who_can(self):
        self.assertEqual(self.resolver.who_can("doc:read"), ["ann"])


if __name__ == "__main__":
    unittest.main()
