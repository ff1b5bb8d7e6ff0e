import unittest

from throttle_ms.limiter import RetryPlan, SlidingWindow, TokenBucket, parse_rate, strictest


class LimiterTest(unittest.TestCase):
    def test_parse_rate(self):
        self.assertEqual(parse_rate("5/s"), (5, 1000))
        self.assertEqual(parse_rate("100/10m"), (100, 600_000))

    def test_bucket_runs_empty(self):
        bucket = TokenBucket(2, 100)
        self.assertEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [True, True, False])

    def test_bucket_refills(self):
        bucket = TokenBucket(2, 100)
        bucket.take(0, 2)
        self.assertEqual(bucket.available(50), 0)
        self.assertEqual(bucket.available(150), 1)

    def test_bucket_wait(self):
        bucket = TokenBucket(1, 100)
        self.assertEqual(bucket.wait_ms(0), 0)
        bucket.take(0)
        self.assertEqual(bucket.wait_ms(0), 100)

    def test_window(self):
        window = SlidingWindow(2, 1000)
        self.assertEqual([window.hit("a", t) for t in (0, 10, 20)], [True, True, False])
        self.assertTrue(window.hit("a", 2000))

    def test_window_retry_after(self):
        window = SlidingWindow(1, 1000)
        window.hit("a", 0)
        self.assertEqual(window.retry_after_ms("a", 400), 600)

    def test_delays(self):
        self.assertEqual(RetryPlan(attempts=4).delays(), [100, 200, 400])

    def test_next_ms(self):
        self.assertEqual(RetryPlan().next_ms(1, 0), 100)

    def test_strictest(self):
        self.assertEqual(strictest([5, 20, 10]), 20)


if __name__ == "__main__":
    unittest.main()
