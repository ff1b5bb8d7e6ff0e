import unittest

from undokit.history import Change, Document, History


class HistoryTest(unittest.TestCase):
    def test_inverse(self):
        self.assertEqual(Change("a", 1, 2).inverse(), Change("a", 2, 1))

    def test_record_and_undo(self):
        history = History()
        history.record(Change("a", None, 1))
        self.assertEqual(len(history), 1)
        self.assertEqual(history.undo(), [Change("a", 1, None)])
        self.assertEqual(len(history), 0)

    def test_redo(self):
        history = History()
        history.record(Change("a", None, 1))
        history.undo()
        self.assertEqual(history.redo(), [Change("a", None, 1)])

    def test_group_is_one_step(self):
        history = History()
        history.begin()
        history.record(Change("a", None, 1))
        history.record(Change("b", None, 2))
        self.assertEqual(history.end(), 2)
        self.assertEqual(len(history), 1)

    def test_merge(self):
        history = History()
        history.record(Change("a", "x", "xy"))
        history.record(Change("a", "xy", "xyz"), merge=True)
        self.assertEqual(len(history), 1)


class DocumentTest(unittest.TestCase):
    def test_set_and_undo(self):
        document = Document()
        self.assertTrue(document.set("title", "Draft"))
        self.assertTrue(document.set("title", "Final"))
        self.assertTrue(document.undo())
        self.assertEqual(document.values, {"title": "Draft"})

    def test_redo(self):
        document = Document()
        document.set("title", "Draft")
        document.undo()
        self.assertEqual(document.values, {})
        self.assertTrue(document.redo())
        self.assertEqual(document.values, {"title": "Draft"})


if __name__ == "__main__":
    unittest.main()
