import unittest

from rolegate.resolver import Decision, PolicyError, Resolver, Role, matches, specificity


def resolver_of(*roles):
    resolver = Resolver()
    for role in roles:
        resolver.define(role)
    return resolver


def verdict(permission, *roles):
    resolver = resolver_of(*roles)
    for role in roles:
        resolver.grant("u", role.name)
    return resolver.decide("u", permission)


class PatternTest(unittest.TestCase):
    def test_exact(self):
        self.assertTrue(matches("a:b:c", "a:b:c"))
        self.assertFalse(matches("a:b", "a:B"))
        self.assertFalse(matches("a", "ab"))

    def test_star_in_the_middle_covers_one_part(self):
        self.assertTrue(matches("a:*:c", "a:b:c"))
        self.assertFalse(matches("a:*:c", "a:b:b:c"))
        self.assertFalse(matches("a:*:c", "a:b:d"))

    def test_star_at_the_end_covers_the_rest(self):
        self.assertTrue(matches("a:*", "a:b"))
        self.assertTrue(matches("a:*", "a:b:c:d"))
        self.assertFalse(matches("a:*", "b:b:c"))

    def test_star_at_the_end_needs_a_part(self):
        self.assertFalse(matches("a:*", "a"))
        self.assertFalse(matches("a:b:*", "a:b"))

    def test_single_star_covers_everything(self):
        self.assertTrue(matches("*", "a"))
        self.assertTrue(matches("*", "a:b:c"))

    def test_length_matters_without_star(self):
        self.assertFalse(matches("a:b", "a:b:c"))
        self.assertFalse(matches("a:b:c", "a:b"))

    def test_star_in_the_permission_is_plain(self):
        self.assertFalse(matches("a:b", "a:*"))

    def test_specificity(self):
        self.assertEqual(specificity("a:b"), (2, 2))
        self.assertEqual(specificity("a:*:c"), (2, 3))
        self.assertEqual(specificity("*"), (0, 1))


class DefineTest(unittest.TestCase):
    def test_twice(self):
        with self.assertRaisesRegex(PolicyError, "a is already defined"):
            resolver_of(Role("a"), Role("a"))

    def test_unknown_parent(self):
        resolver = resolver_of(Role("a"))
        with self.assertRaisesRegex(PolicyError, "unknown role: b"):
            resolver.define(Role("c", parents=("a", "b")))
        self.assertNotIn("c", resolver.roles)

    def test_itself_as_parent(self):
        with self.assertRaises(PolicyError):
            resolver_of(Role("a", parents=("a",)))

    def test_resolvers_share_nothing(self):
        first = resolver_of(Role("a"))
        first.grant("u", "a")
        self.assertEqual((Resolver().roles, Resolver().grants), ({}, {}))


class GrantTest(unittest.TestCase):
    def setUp(self):
        self.resolver = resolver_of(Role("a", allow=("x",)), Role("b", allow=("y",)))

    def test_unknown_role(self):
        with self.assertRaises(PolicyError):
            self.resolver.grant("u", "zz")
        self.assertEqual(self.resolver.grants, {})

    def test_end_is_exclusive(self):
        self.resolver.grant("u", "a", until=10)
        self.assertEqual(self.resolver.roles_of("u", 9), ["a"])
        self.assertEqual(self.resolver.roles_of("u", 10), [])

    def test_until_zero_has_ended(self):
        self.resolver.grant("u", "a", until=0)
        self.assertEqual(self.resolver.roles_of("u"), [])
        self.assertEqual(self.resolver.roles_of("u", -1), ["a"])

    def test_time_is_zero_by_default(self):
        for until, held in ((0, False), (1, True)):
            self.resolver.grant("u", "a", until)
            self.assertEqual(self.resolver.roles_of("u"), ["a"] if held else [])
            self.assertIs(self.resolver.decide("u", "x").allowed, held)
            self.assertEqual(self.resolver.who_can("x"), ["u"] if held else [])

    def test_without_end(self):
        self.resolver.grant("u", "a")
        self.assertEqual(self.resolver.roles_of("u", 10**9), ["a"])

    def test_again_replaces_the_time(self):
        self.resolver.grant("u", "a", until=5)
        self.resolver.grant("u", "a", until=9)
        self.assertEqual(self.resolver.grants["u"], [("a", 9)])
        self.resolver.grant("u", "a")
        self.assertEqual(self.resolver.roles_of("u", 99), ["a"])

    def test_again_keeps_other_roles(self):
        for role in ("a", "b", "a"):
            self.resolver.grant("u", role)
        self.assertEqual(self.resolver.roles_of("u"), ["b", "a"])

    def test_revoke(self):
        self.resolver.grant("u", "a")
        self.resolver.grant("u", "b")
        self.assertIs(self.resolver.revoke("u", "a"), True)
        self.assertEqual(self.resolver.roles_of("u"), ["b"])

    def test_revoke_what_is_not_held(self):
        self.resolver.grant("u", "a")
        self.assertIs(self.resolver.revoke("u", "b"), False)
        self.assertIs(self.resolver.revoke("nobody", "a"), False)
        self.assertEqual(self.resolver.roles_of("u"), ["a"])

    def test_revoke_last_role_forgets_the_user(self):
        self.resolver.grant("u", "a")
        self.resolver.revoke("u", "a")
        self.assertEqual(self.resolver.grants, {})


class LineageTest(unittest.TestCase):
    def test_levels(self):
        resolver = resolver_of(
            Role("base"), Role("l", parents=("base",)), Role("r", parents=("base",)),
            Role("top", parents=("l", "r")),
        )  # fmt: skip
        self.assertEqual(resolver.lineage(["top"]), ["top", "l", "r", "base"])
        self.assertEqual(resolver.lineage(["r", "r"]), ["r", "base"])

    def test_chain(self):
        resolver = resolver_of(Role("a"), Role("b", parents=("a",)), Role("c", parents=("b",)))
        self.assertEqual(resolver.lineage(["c"]), ["c", "b", "a"])
        self.assertEqual(resolver.lineage(["a", "c"]), ["a", "c", "b"])

    def test_nobody(self):
        self.assertEqual(resolver_of(Role("a")).lineage([]), [])
        self.assertEqual(resolver_of(Role("a")).roles_of("nobody"), [])

    def test_unknown(self):
        with self.assertRaises(PolicyError):
            resolver_of(Role("a")).lineage(["zz"])


class DecideTest(unittest.TestCase):
    def test_nothing_found(self):
        self.assertEqual(verdict("x", Role("a", allow=("y",))), Decision(False, None, None))
        self.assertEqual(Resolver().decide("nobody", "x"), Decision(False))

    def test_names_role_and_pattern(self):
        self.assertEqual(verdict("d:r", Role("a", allow=("d:*",))), Decision(True, "a", "d:*"))
        self.assertEqual(verdict("d:r", Role("a", deny=("d:r",))), Decision(False, "a", "d:r"))

    def test_deny_wins_a_tie(self):
        roles = Role("a", allow=("x",)), Role("b", deny=("x",))
        self.assertEqual(verdict("x", *roles), Decision(False, "b", "x"))
        self.assertEqual(verdict("x", *roles[::-1]), Decision(False, "b", "x"))
        self.assertFalse(verdict("x", Role("c", allow=("x",), deny=("x",))).allowed)

    def test_narrower_pattern_wins(self):
        roles = Role("a", deny=("d:*",)), Role("b", allow=("d:r",))
        self.assertEqual(verdict("d:r", *roles), Decision(True, "b", "d:r"))
        self.assertFalse(verdict("d:w", *roles).allowed)
        self.assertTrue(verdict("d:r:x", Role("a", allow=("d:r:*",), deny=("d:*",))).allowed)

    def test_nearer_role_wins_a_tie(self):
        roles = Role("a", allow=("x",)), Role("b", allow=("x",))
        self.assertEqual(verdict("x", *roles).role, "a")

    def test_child_role_does_not_lift_a_denial_of_the_same_width(self):
        resolver = resolver_of(Role("p", deny=("x",)), Role("c", allow=("x",), parents=("p",)))
        resolver.grant("u", "c")
        self.assertEqual(resolver.decide("u", "x"), Decision(False, "p", "x"))

    def test_time(self):
        resolver = resolver_of(Role("a", allow=("x",)))
        resolver.grant("u", "a", until=5)
        self.assertEqual([resolver.decide("u", "x", t).allowed for t in (4, 5)], [True, False])
        self.assertTrue(resolver.decide("u", "x").allowed)

    def test_who_can(self):
        resolver = resolver_of(Role("a", allow=("x",)), Role("b", deny=("x",)))
        for user in ("zoe", "ann", "bob", "kim"):
            resolver.grant(user, "a", until=7 if user == "kim" else None)
        resolver.grant("bob", "b")
        self.assertEqual(resolver.who_can("x"), ["ann", "kim", "zoe"])
        self.assertEqual(resolver.who_can("x", 7), ["ann", "zoe"])
        self.assertEqual(resolver.who_can("y"), [])


if __name__ == "__main__":
    unittest.main()
