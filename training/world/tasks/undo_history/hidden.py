import unittest

from undokit.history import Change, Document, History


def history_of(*pairs, limit=100):
    history = History(limit)
    for before, after in pairs:
        history.record(Change("k", before, after))
    return history


class ChangeTest(unittest.TestCase):
    def test_inverse_twice_is_the_same(self):
        change = Change("a", 1, 2)
        self.assertEqual(change.inverse().inverse(), change)

    def test_inverse_keeps_key(self):
        self.assertEqual(Change("a", None, 2).inverse(), Change("a", 2, None))

    def test_follows(self):
        first = Change("a", 1, 2)
        self.assertTrue(Change("a", 2, 3).follows(first))
        self.assertFalse(Change("b", 2, 3).follows(first))
        self.assertFalse(Change("a", 1, 3).follows(first))


class HistoryTest(unittest.TestCase):
    def test_limit_must_be_positive(self):
        for limit in (0, -1):
            with self.assertRaises(ValueError):
                History(limit)
        self.assertEqual(History(1).limit, 1)

    def test_default_limit(self):
        history = History()
        for number in range(105):
            history.record(Change("k", number, number + 1))
        self.assertEqual(len(history), 100)

    def test_oldest_step_is_dropped(self):
        history = history_of((0, 1), (1, 2), (2, 3), limit=2)
        self.assertEqual(len(history), 2)
        self.assertEqual(history.undo()[0].before, 3)
        self.assertEqual(history.undo()[0].before, 2)
        self.assertEqual(history.undo(), [])

    def test_undo_nothing(self):
        self.assertEqual(History().undo(), [])
        self.assertEqual(History().redo(), [])

    def test_undo_goes_backwards(self):
        history = history_of((0, 1), (1, 2))
        self.assertEqual(history.undo(), [Change("k", 2, 1)])
        self.assertEqual(history.undo(), [Change("k", 1, 0)])

    def test_redo_goes_forwards(self):
        history = history_of((0, 1), (1, 2))
        history.undo()
        history.undo()
        self.assertEqual(history.redo(), [Change("k", 0, 1)])
        self.assertEqual(history.redo(), [Change("k", 1, 2)])
        self.assertEqual(history.redo(), [])

    def test_redone_step_can_be_undone(self):
        history = history_of((0, 1))
        history.undo()
        history.redo()
        self.assertEqual(len(history), 1)
        self.assertEqual(history.undo(), [Change("k", 1, 0)])

    def test_record_forgets_redo(self):
        history = history_of((0, 1))
        history.undo()
        history.record(Change("k", 0, 5))
        self.assertEqual(history.redo(), [])

    def test_record_in_group_forgets_redo(self):
        history = history_of((0, 1))
        history.undo()
        history.begin()
        history.record(Change("k", 0, 5))
        history.end()
        self.assertEqual(history.redo(), [])

    def test_merge_joins_changes(self):
        history = history_of(("", "a"))
        history.record(Change("k", "a", "ab"), merge=True)
        history.record(Change("k", "ab", "abc"), merge=True)
        self.assertEqual(history.undo(), [Change("k", "abc", "")])

    def test_merge_forgets_redo(self):
        history = history_of((0, 1), (1, 2))
        history.undo()
        history.record(Change("k", 1, 9), merge=True)
        self.assertEqual(history.redo(), [])

    def test_no_merge_unless_asked(self):
        self.assertEqual(len(history_of((0, 1), (1, 2))), 2)

    def test_no_merge_of_other_key_or_value(self):
        history = history_of((0, 1))
        history.record(Change("other", 1, 2), merge=True)
        history.record(Change("other", 7, 8), merge=True)
        self.assertEqual(len(history), 3)

    def test_merge_into_empty_history(self):
        history = History()
        history.record(Change("k", 0, 1), merge=True)
        self.assertEqual(len(history), 1)

    def test_merge_into_group_keeps_its_other_changes(self):
        history = history_of((0, 1))
        history.begin()
        history.record(Change("a", 0, 1))
        history.record(Change("b", 0, 1))
        history.end()
        history.record(Change("b", 1, 2), merge=True)
        self.assertEqual(history.undo(), [Change("b", 2, 0), Change("a", 1, 0)])

    def test_group_undo_order(self):
        history = History()
        history.begin()
        history.record(Change("a", 0, 1))
        history.record(Change("a", 1, 2))
        history.end()
        self.assertEqual(history.undo(), [Change("a", 2, 1), Change("a", 1, 0)])

    def test_group_redo_order(self):
        history = History()
        history.begin()
        history.record(Change("a", 0, 1))
        history.record(Change("b", 0, 2))
        history.end()
        history.undo()
        self.assertEqual(history.redo(), [Change("a", 0, 1), Change("b", 0, 2)])

    def test_no_step_before_the_group_ends(self):
        history = History()
        history.begin()
        history.record(Change("a", 0, 1))
        self.assertEqual(len(history), 0)

    def test_empty_group_leaves_no_step(self):
        history = History()
        history.begin()
        self.assertEqual(history.end(), 0)
        self.assertEqual(len(history), 0)

    def test_empty_group_keeps_redo(self):
        history = history_of((0, 1))
        history.undo()
        history.begin()
        history.end()
        self.assertEqual(history.redo(), [Change("k", 0, 1)])

    def test_nested_groups_are_one_step(self):
        history = History()
        history.begin()
        history.record(Change("a", 0, 1))
        history.begin()
        history.record(Change("b", 0, 1))
        self.assertEqual(history.end(), 2)
        self.assertEqual(len(history), 0)
        history.record(Change("c", 0, 1))
        self.assertEqual(history.end(), 3)
        self.assertEqual(len(history), 1)

    def test_group_after_group_starts_empty(self):
        history = History()
        for key in ("a", "b"):
            history.begin()
            history.record(Change(key, 0, 1))
            self.assertEqual(history.end(), 1)
        self.assertEqual(len(history), 2)

    def test_record_after_group_is_its_own_step(self):
        history = History()
        history.begin()
        history.record(Change("a", 0, 1))
        history.end()
        history.record(Change("b", 0, 1))
        self.assertEqual(len(history), 2)

    def test_end_without_group(self):
        with self.assertRaises(RuntimeError):
            History().end()

    def test_undo_and_redo_in_group(self):
        history = history_of((0, 1))
        history.begin()
        with self.assertRaises(RuntimeError):
            history.undo()
        with self.assertRaises(RuntimeError):
            history.redo()

    def test_groups_count_for_the_limit(self):
        history = history_of((0, 1), limit=1)
        history.begin()
        history.record(Change("b", 0, 1))
        history.end()
        self.assertEqual(len(history), 1)
        self.assertEqual(history.undo(), [Change("b", 1, 0)])

    def test_redo_result_is_a_copy(self):
        history = history_of((0, 1))
        history.undo()
        history.redo().clear()
        self.assertEqual(history.undo(), [Change("k", 1, 0)])


class DocumentTest(unittest.TestCase):
    def test_set_same_value_is_no_step(self):
        document = Document()
        document.set("a", 1)
        self.assertIs(document.set("a", 1), False)
        self.assertIs(document.set("b", None), False)
        self.assertEqual(len(document.history), 1)

    def test_set_none_deletes(self):
        document = Document()
        document.set("a", 1)
        self.assertIs(document.set("a", None), True)
        self.assertEqual(document.values, {})
        document.undo()
        self.assertEqual(document.values, {"a": 1})

    def test_falsy_values_are_kept(self):
        document = Document()
        document.set("a", 0)
        document.set("b", "")
        self.assertEqual(document.values, {"a": 0, "b": ""})

    def test_undo_and_redo_say_whether_anything_happened(self):
        document = Document(limit=1)
        self.assertIs(document.undo(), False)
        document.set("a", 1)
        document.set("a", 2)
        self.assertIs(document.undo(), True)
        self.assertEqual((document.undo(), document.values), (False, {"a": 1}))
        self.assertEqual((document.redo(), document.redo()), (True, False))

    def test_merge_is_passed_on(self):
        document = Document()
        document.set("a", "x")
        document.set("a", "xy", merge=True)
        document.set("a", "xyz")
        self.assertEqual(len(document.history), 2)


if __name__ == "__main__":
    unittest.main()
