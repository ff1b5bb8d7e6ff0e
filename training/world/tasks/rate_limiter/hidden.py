import unittest

from throttle_ms.limiter import RetryPlan, SlidingWindow, TokenBucket, parse_rate, strictest


class ParseRateTest(unittest.TestCase):
    def test_units(self):
        got = [parse_rate(f"3/{unit}")[1] for unit in ("ms", "s", "m", "h")]
        self.assertEqual(got, [1, 1000, 60_000, 3_600_000])

    def test_period_with_number(self):
        self.assertEqual(parse_rate("7/250ms"), (7, 250))
        self.assertEqual(parse_rate(" 12/30s "), (12, 30_000))

    def test_malformed(self):
        for text in ("", "5", "5/", "/s", "5/10", "5/d", "x/s", "-5/s", "5/1.5s", "5/s/s"):
            with self.assertRaisesRegex(ValueError, "bad rate"):
                parse_rate(text)

    def test_zero(self):
        for text in ("0/s", "5/0s"):
            with self.assertRaisesRegex(ValueError, "must be positive"):
                parse_rate(text)


class TokenBucketTest(unittest.TestCase):
    def test_limits_must_be_positive(self):
        for capacity, refill_ms in ((0, 10), (1, 0), (-1, 10), (1, -1)):
            with self.assertRaises(ValueError):
                TokenBucket(capacity, refill_ms)
        self.assertEqual(TokenBucket(1, 1).available(0), 1)

    def test_starts_full(self):
        self.assertEqual(TokenBucket(3, 100).available(0), 3)
        self.assertEqual(TokenBucket(3, 100, start_ms=500).available(500), 3)

    def test_never_above_capacity(self):
        bucket = TokenBucket(2, 100)
        bucket.take(0)
        self.assertEqual(bucket.available(5000), 2)

    def test_token_comes_back_at_the_full_interval(self):
        bucket = TokenBucket(2, 100)
        bucket.take(0, 2)
        self.assertEqual([bucket.available(t) for t in (99, 100, 199, 200)], [0, 1, 1, 2])

    def test_several_at_once(self):
        bucket = TokenBucket(5, 100)
        bucket.take(0, 5)
        self.assertEqual(bucket.available(350), 3)

    def test_parts_of_an_interval_carry_over(self):
        bucket = TokenBucket(3, 100)
        bucket.take(0, 3)
        bucket.available(150)
        self.assertEqual([bucket.available(t) for t in (199, 200)], [1, 2])

    def test_interval_begins_when_a_full_bucket_is_tapped(self):
        bucket = TokenBucket(1, 100)
        self.assertTrue(bucket.take(170))
        self.assertEqual([bucket.available(t) for t in (200, 269, 270)], [0, 0, 1])

    def test_second_take_does_not_restart_the_interval(self):
        bucket = TokenBucket(2, 100)
        bucket.take(0)
        bucket.take(60)
        self.assertEqual([bucket.available(t) for t in (99, 100)], [0, 1])

    def test_take_too_many_takes_none(self):
        bucket = TokenBucket(3, 100)
        self.assertIs(bucket.take(0, 4), False)
        self.assertEqual(bucket.available(0), 3)
        self.assertIs(bucket.take(0, 3), True)

    def test_start_time(self):
        bucket = TokenBucket(1, 100, start_ms=1000)
        bucket.take(1000)
        self.assertEqual([bucket.available(t) for t in (1099, 1100)], [0, 1])

    def test_time_going_back_changes_nothing(self):
        bucket = TokenBucket(2, 100)
        bucket.take(500)
        self.assertEqual(bucket.available(100), 1)
        self.assertTrue(bucket.take(100))
        self.assertEqual([bucket.available(t) for t in (500, 599, 600)], [0, 0, 1])

    def test_full_bucket_tapped_in_the_past(self):
        bucket = TokenBucket(1, 100, start_ms=500)
        bucket.take(100)
        self.assertEqual([bucket.available(t) for t in (599, 600)], [0, 1])

    def test_wait(self):
        bucket = TokenBucket(3, 100)
        bucket.take(0, 3)
        self.assertEqual([bucket.wait_ms(30), bucket.wait_ms(30, 3)], [70, 270])
        self.assertEqual([bucket.wait_ms(100), bucket.wait_ms(100, 2)], [0, 100])

    def test_wait_is_enough(self):
        bucket = TokenBucket(2, 70)
        bucket.take(5, 2)
        wait = bucket.wait_ms(40, 2)
        self.assertFalse(bucket.take(40 + wait - 1, 2))
        self.assertTrue(bucket.take(40 + wait, 2))

    def test_wait_above_capacity(self):
        with self.assertRaises(ValueError):
            TokenBucket(3, 100).wait_ms(0, 4)
        self.assertEqual(TokenBucket(3, 100).wait_ms(0, 3), 0)

    def test_no_wait_with_tokens_to_spare(self):
        self.assertEqual(TokenBucket(3, 100).wait_ms(0), 0)


class SlidingWindowTest(unittest.TestCase):
    def test_keys_are_apart(self):
        window = SlidingWindow(1, 100)
        self.assertEqual([window.hit("a", 0), window.hit("b", 0)], [True, True])
        self.assertEqual([window.count("a", 0), window.count("c", 0)], [1, 0])

    def test_edge_of_the_window(self):
        window = SlidingWindow(1, 100)
        window.hit("a", 0)
        self.assertEqual([window.hit("a", 99), window.hit("a", 100)], [False, True])

    def test_window_slides(self):
        window = SlidingWindow(2, 100)
        got = [window.hit("a", t) for t in (0, 60, 90, 100, 120, 160)]
        self.assertEqual(got, [True, True, False, True, False, True])

    def test_refused_hits_do_not_count(self):
        window = SlidingWindow(1, 100)
        window.hit("a", 0)
        window.hit("a", 50)
        self.assertEqual(window.count("a", 50), 1)
        self.assertTrue(window.hit("a", 110))

    def test_limit_zero_refuses_all(self):
        self.assertIs(SlidingWindow(0, 100).hit("a", 0), False)

    def test_old_keys_are_forgotten(self):
        window = SlidingWindow(2, 100)
        window.hit("a", 0)
        window.hit("b", 50)
        self.assertEqual([window.count("a", 120), window.count("b", 120)], [0, 1])
        self.assertEqual(list(window._events), ["b"])

    def test_retry_after(self):
        window = SlidingWindow(2, 100)
        self.assertEqual(window.retry_after_ms("a", 0), 0)
        window.hit("a", 0)
        self.assertEqual(window.retry_after_ms("a", 10), 0)
        window.hit("a", 30)
        self.assertEqual([window.retry_after_ms("a", t) for t in (30, 99, 100)], [70, 1, 0])


class RetryPlanTest(unittest.TestCase):
    def test_defaults(self):
        self.assertEqual(RetryPlan().delays(), [100, 200, 400, 800])

    def test_factor_and_first(self):
        self.assertEqual(RetryPlan(4, first_ms=10, factor=3).delays(), [10, 30, 90])
        self.assertEqual(RetryPlan(3, factor=1).delays(), [100, 100])
        self.assertEqual([RetryPlan(attempts=n).delays() for n in (0, 1)], [[], []])

    def test_ceiling(self):
        self.assertEqual(RetryPlan(5, 100, 2, 350).delays(), [100, 200, 350, 350])
        self.assertEqual(RetryPlan(attempts=9).delays()[-2:], [6400, 10_000])

    def test_next_follows_the_delays(self):
        plan = RetryPlan(attempts=4)
        self.assertEqual([plan.next_ms(n, 0) for n in range(6)], [None, 100, 200, 400, None, None])

    def test_budget_is_inclusive(self):
        plan = RetryPlan()
        self.assertEqual(plan.next_ms(1, 400, budget_ms=500), 100)
        self.assertIsNone(plan.next_ms(1, 401, budget_ms=500))

    def test_budget_of_zero(self):
        self.assertIsNone(RetryPlan().next_ms(1, 0, budget_ms=0))
        self.assertEqual(RetryPlan(first_ms=0).next_ms(1, 0, budget_ms=0), 0)


class StrictestTest(unittest.TestCase):
    def test_longest(self):
        self.assertEqual(strictest([0, 3, 2]), 3)

    def test_never_wins(self):
        self.assertIsNone(strictest([5, None, 9]))
        self.assertIsNone(strictest([None]))
        self.assertEqual(strictest([]), 0)


if __name__ == "__main__":
    unittest.main()
