import unittest

from caseform.cases import (
    Slugger,
    camel,
    detect,
    kebab,
    pascal,
    slugify,
    snake,
    split_words,
    title,
)


class TestCases(unittest.TestCase):
    def test_split_words(self):
        self.assertEqual(split_words("helloWorld"), ["hello", "World"])
        self.assertEqual(split_words("hello_big world"), ["hello", "big", "world"])

    def test_snake_and_kebab(self):
        self.assertEqual(snake("helloWorld"), "hello_world")
        self.assertEqual(kebab("Hello World"), "hello-world")

    def test_camel_and_pascal(self):
        self.assertEqual(camel("hello_world"), "helloWorld")
        self.assertEqual(pascal("hello_world"), "HelloWorld")

    def test_title(self):
        self.assertEqual(title("the lord of the rings"), "The Lord of the Rings")

    def test_detect(self):
        self.assertEqual(detect("hello_world"), "snake")
        self.assertEqual(detect("HelloWorld"), "pascal")

    def test_slugify(self):
        self.assertEqual(slugify("Hello, World!"), "hello-world")

    def test_slugger(self):
        slugger = Slugger()
        self.assertEqual(slugger.slug("Intro"), "intro")
        self.assertEqual(slugger.slug("Intro"), "intro-2")
