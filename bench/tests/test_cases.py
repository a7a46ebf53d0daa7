"""What single cases make of what they measured. Run with `python3 -m unittest discover -s bench/tests -t bench`."""

import sys
import tempfile
import time
import tomllib
import unittest
from pathlib import Path

from atelier_bench.cases import ALL, eta, knowledge, money, process
from atelier_bench.engine import MODEL, Run
from atelier_bench.recorder import Exchange
from atelier_bench.result import Broken
from atelier_bench.sandbox import Stats
from atelier_bench.terminal import Terminal, live_lines


def call(item: str, arrived: float) -> Exchange:
    return Exchange(item, b"", b"asked", arrived)


class Shapes(unittest.TestCase):
    """Providers that are drawn at random."""

    def test_a_seed_draws_the_same_shapes_again(self) -> None:
        self.assertEqual(knowledge.drawn(7, 8), knowledge.drawn(7, 8))
        self.assertEqual(knowledge.drawn(7, 8)[:3], knowledge.drawn(7, 3))
        self.assertNotEqual(knowledge.drawn(7, 8), knowledge.drawn(8, 8))

    def test_a_seed_that_is_said_is_kept_to(self) -> None:
        self.assertEqual(knowledge.chosen_seed("42"), 42)
        self.assertIn(knowledge.chosen_seed(None), range(1_000_000))

    def test_every_number_is_within_its_range(self) -> None:
        for shape in knowledge.drawn(1, 500):
            self.assertTrue(20 <= shape.posts <= 200 and 3 <= shape.amount <= 60)
            self.assertTrue(5 <= shape.window <= 20 and 0.2 <= shape.latency <= 4)
            self.assertTrue(0.0003 <= shape.per_token <= 0.01)

    def test_its_flags_are_whole_milliseconds_and_tenths_for_a_token(self) -> None:
        shape = knowledge.Shape(posts=40, amount=5, window=12.345, latency=1.234, per_token=0.0032)
        self.assertEqual(shape.limit, ("--quota", "requests=5/12345ms"))
        self.assertEqual(shape.slow, ("--latency", "1234ms", "--per-output-token", "3.2ms"))

    def test_there_are_texts_for_the_largest_and_no_two_are_alike(self) -> None:
        self.assertEqual(len(set(knowledge.texts(knowledge.MOST_POSTS))), knowledge.MOST_POSTS)
        kept = knowledge.unlike(["the chain skips", "a chain skips", "my wheel"])
        self.assertEqual(kept, ["the chain skips", "my wheel"])


class Money(unittest.TestCase):
    """What the provider counts."""

    def test_the_model_of_the_benchmark_has_one_price(self) -> None:
        price = money.price_of(tomllib.loads(money.PRICES.read_text()), MODEL)
        self.assertTrue(0 < price.input < price.output < 1e-4)

    def test_tokens_cost_what_the_list_says(self) -> None:
        model = {"provider": "gemini", "name": "small", "prices": [{"input": 0.5, "output": 2.0}]}
        counts = {"calls": 3, "refusals": 0, "faults": {}, "input_tokens": 1_000_000, "output_tokens": 500_000,
                  "items_answered": 3, "items_answered_more_than_once": 0, "arrivals_ms": [], "refusals_ms": []}
        cost = money.price_of({"model": [model]}, "gemini:small").cost(Stats.read(counts, 0))
        self.assertAlmostEqual(cost, 1.5)

    def test_a_model_with_no_price_or_with_several_is_found_out(self) -> None:
        prices = [{"input": 1, "output": 2}, {"input": 3, "output": 4}]
        several = {"provider": "gemini", "name": "large", "prices": prices}
        for name in ("gemini:none", "gemini:large", "openai:large"):
            with self.assertRaises(Broken):
                money.price_of({"model": [several]}, name)


class TimesLeft(unittest.TestCase):
    """What a live line says."""

    def test_a_time_is_read_as_it_is_written(self) -> None:
        written = {"0.8 s": 0.8, "42 s": 42, "3 min 20 s": 200, "2 min": 120, "2 h 5 min": 7500}
        for text, seconds in written.items():
            self.assertEqual(eta.seconds_left(f"█░ 5/25, 4 calls in flight, about {text} left"), seconds)
        for line in ("█░ 5/25", "█░ 5/25, waiting for requests=5/4s until 07:55:06", "about nothing is left"):
            self.assertIsNone(eta.seconds_left(line))

    def test_a_line_counts_from_when_it_changed_and_not_from_when_it_was_drawn(self) -> None:
        written = [
            (0.0, "⠁ ██ 0/0"),
            (0.1, "\r\x1b[2K⠁ ░░ 0/25, about 19 s left   "),
            (0.3, "\r\x1b[2K⠉ ░░ 0/25, about 19 s left"),
            (0.5, "\r\x1b[2K⠉ ░░ 1/25\r\x1b[2K⠉ ░░ 2/25, "),
            (0.6, "about 17 s left"),
        ]
        self.assertEqual(live_lines(written), [
            (0.0, "██ 0/0"), (0.1, "░░ 0/25, about 19 s left"), (0.5, "░░ 2/25,"), (0.6, "░░ 2/25, about 17 s left"),
        ])

    def test_samples_are_taken_from_the_first_count_to_the_end(self) -> None:
        lines = [
            (0.0, "██ 0/0"), (10.0, "░░ 0/25, about 30 s left"), (24.0, "░░ 5/25"), (40.0, "░░ 9/25, about 9.0 s left"),
        ]
        found = eta.samples(lines, 50.0)
        self.assertEqual(found, [eta.Sample(30, 10, 30), eta.Sample(None, 6, 20), eta.Sample(9, 0, 10)])
        self.assertEqual([each.off for each in found], [1, None, 10 / 9])
        self.assertEqual([each.off_counted_down for each in found], [1.5, None, 10 / 9])
        with self.assertRaises(Broken):
            eta.samples([(0.0, "██ 0/0")], 50.0)

    def test_too_much_and_too_little_are_wrong_alike(self) -> None:
        self.assertEqual((eta.factor(20, 10), eta.factor(5, 10), eta.factor(10, 10)), (2, 2, 1))
        self.assertEqual(eta.factor(0, 1), 1 / eta.LEAST)

    def test_a_run_on_a_terminal_is_seen_with_its_times(self) -> None:
        code = "import sys, time; print(sys.stderr.isatty(), file=sys.stderr); time.sleep(0.3); sys.exit('gone')"
        terminal = Terminal()
        with tempfile.TemporaryDirectory() as folder:
            with Run([sys.executable, "-c", code], {}, Path(folder), "it", terminal) as run:
                finished = run.wait(10).expect(1)
        self.assertEqual(finished.stderr.split(), ["True", "gone"])
        self.assertLessEqual(terminal.left, time.monotonic())
        self.assertGreaterEqual(terminal.written[-1][0] - terminal.written[0][0], 0.2)


class InOneProcess(unittest.TestCase):
    """Many jobs in one process."""

    def test_unevenness_is_what_jobs_had_at_half_time(self) -> None:
        self.assertEqual(process.unevenness(["a", "b", "a", "b", "b", "b", "b", "a"], ["a", "b"]), 0)
        self.assertEqual(process.unevenness(["a", "a", "a", "b", "b", "b"], ["a", "b"]), 3)
        self.assertEqual(process.unevenness(["a", "a", "b", "b"], ["a", "b", "c"]), 2)

    def test_each_item_is_to_be_asked_for_once(self) -> None:
        wanted = process.items_of(["job-0"], 2)
        self.assertEqual(wanted, {"job-0-0000000", "job-0-0000001"})
        self.assertEqual(process.job_of("job-0-0000001"), "job-0")
        first, second = call("job-0-0000000", 0), call("job-0-0000001", 1)
        process.check([first, second], wanted)
        for calls in ([first], [first, second, first], [first, second, call("job-1-0000000", 2)]):
            with self.assertRaises(Broken):
                process.check(calls, wanted)

    def test_a_percentile_is_one_of_the_numbers(self) -> None:
        numbers = list(range(40, 0, -1))
        self.assertEqual([process.percentile(numbers, share) for share in (0.95, 0.5, 1.0)], [38, 20, 40])
        self.assertEqual(process.percentile([3.0], 0.95), 3)

    def test_a_limit_has_room_when_its_oldest_call_has_aged_out(self) -> None:
        times = [0.0, 1.0, 2.0]
        self.assertEqual(process.room_at(times, 0.5, 3, 10), 0.5)
        self.assertEqual(process.room_at(times, 5.0, 3, 10), 10.0)
        self.assertEqual(process.room_at(times, 10.5, 3, 10), 10.5)
        self.assertEqual(process.room_at(times, 5.0, 2, 10), 11.0)

    def test_a_click_waits_from_its_submission_to_its_first_call(self) -> None:
        told = [{"id": "click-0", "submitted": 1.0}, {"id": "click-1", "submitted": 3.0}]
        calls = [call("job-0-0000000", 0.0), call("click-0000000", 1.5), call("click-0000001", 11.0)]
        first, second = process.clicks_in(told, calls, 2, 10.0)
        self.assertEqual((first.waited, first.since_room, first.had_room), (0.5, 0.5, True))
        self.assertEqual((second.waited, second.since_room, second.had_room), (8.0, 1.0, False))
        with self.assertRaises(Broken):
            process.clicks_in([{"id": "click-2", "submitted": 1.0}], calls, 2, 10.0)


class Cases(unittest.TestCase):
    """What is measured."""

    def test_each_has_a_name_of_its_own(self) -> None:
        self.assertEqual(len({case.key for case in ALL}), len(ALL))


if __name__ == "__main__":
    unittest.main()
