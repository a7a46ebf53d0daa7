"""What the figures rest on. Run with `python3 -m unittest discover -s bench/tests -t bench`."""

import http.server
import json
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from atelier_bench import ideal
from atelier_bench.cases.faults import Killed, repeats
from atelier_bench.prompts import check_answers, item_in, prompt, write_prompts
from atelier_bench.recorder import Exchange, Recorder, let_in, span
from atelier_bench.result import Broken, Figure, Result


class Ideals(unittest.TestCase):
    """Times that limits alone take."""

    def test_a_window_lets_its_amount_in_at_once_and_again_when_it_has_passed(self) -> None:
        self.assertEqual(ideal.windowed(15, 15, 10, 1), 1)
        self.assertEqual(ideal.windowed(16, 15, 10, 1), 11)
        self.assertEqual(ideal.windowed(150, 15, 10, 1), 91)

    def test_an_even_provider_has_a_distance_between_any_two(self) -> None:
        self.assertAlmostEqual(ideal.paced(91, 15, 10, 1), 61)

    def test_a_fair_share_begins_after_a_used_up_window(self) -> None:
        self.assertEqual(ideal.share(1, 20, 5, 1, 3), 6)
        self.assertEqual(ideal.share(100, 20, 5, 1, 2), 51)

    def test_calls_carry_as_many_items_as_end_soonest(self) -> None:
        # One an item in two windows: 10 + 1 + 1 s. Two in a call: 1 + 2 s.
        self.assertEqual(ideal.packed(20, 10, 10, 1, 1), 3)
        # Two in a call, in two windows: 1 + 1 + 2 s. Four in a call: 1 + 4 s.
        self.assertEqual(ideal.packed(20, 5, 1, 1, 1), 4)
        self.assertEqual(ideal.packed(20, 20, 10, 1, 1), 2)

    def test_a_call_carries_no_more_than_it_may_and_no_more_than_there_are(self) -> None:
        self.assertEqual(ideal.packed(64, 1, 100, 1, 1), 133)
        self.assertEqual(ideal.packed(3, 1, 100, 1, 1), 4)

    def test_the_fullest_window_is_found_wherever_it_lies(self) -> None:
        self.assertEqual(ideal.most_in_a_window([0, 9, 9.5, 10, 20], 10), 3)
        self.assertEqual(ideal.most_in_a_window([0, 10], 10), 1)


class Figures(unittest.TestCase):
    """Judging."""

    def test_a_figure_holds_on_its_bar_and_not_beyond(self) -> None:
        self.assertTrue(Figure("time", 1.02, 1.02).holds)
        self.assertFalse(Figure("time", 1.03, 1.02).holds)
        self.assertTrue(Figure("rate", 0.5, 0.5, at_least=True).holds)
        self.assertFalse(Figure("rate", 0.4, 0.5, at_least=True).holds)
        self.assertIsNone(Figure("told", 3).holds)

    def test_strain_is_above_one_where_a_figure_falls_short(self) -> None:
        self.assertAlmostEqual(Figure("rate", 0.25, 0.5, at_least=True).strain or 0, 2)
        self.assertEqual(Figure("refusals", 0, 0).strain, 0)
        self.assertIsNone(Figure("refusals", 3, 0).strain)

    def test_what_broke_is_not_said_to_hold(self) -> None:
        self.assertEqual(Result(figures=[Figure("a", 0, 1)], broken="lost").verdict, "broken")
        self.assertEqual(Result(figures=[Figure("a", 0, 1), Figure("b", 2, 1)]).verdict, "falls short")


class Answers(unittest.TestCase):
    """Checking what was answered."""

    def check(self, ids: list[str], status: str = "done") -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.jsonl"
            lines = [json.dumps({"id": each, "status": status, "text": "so"}) + "\n" for each in ids]
            out.write_text("".join(lines))
            return check_answers(out, "a", 2).fault

    def test_each_item_is_there_once_and_done(self) -> None:
        self.assertIsNone(self.check(["a-0000001", "a-0000000"]))
        self.assertIn("1 items have no outcome", self.check(["a-0000001"]) or "")
        self.assertIn("two outcomes", self.check(["a-0000001", "a-0000000", "a-0000001"]) or "")
        self.assertIn("foreign", self.check(["a-0000001", "a-0000000", "b-0000000"]) or "")
        self.assertIn("bad outcome", self.check(["a-0000001", "a-0000000"], "failed") or "")

    def test_a_prompt_has_its_size_and_is_found_in_a_request(self) -> None:
        for size in (400, 401):
            self.assertEqual(len(prompt("tokens", 7, size)), size)
        self.assertEqual(item_in(json.dumps({"text": prompt("kill", 1234)}).encode()), "kill-0001234")
        self.assertEqual(item_in(json.dumps({"text": prompt("job-3", 12)}).encode()), "job-3-0000012")


def call(item: str, arrived: float, answered: float | None = None, status: int = 200) -> Exchange:
    return Exchange(item, b"", b"asked", arrived, answered, status)


class Repeats(unittest.TestCase):
    """What was sent again after a kill."""

    def test_a_call_that_was_in_flight_may_be_sent_again(self) -> None:
        kills = [Killed(1.0, 1.5, 0, {"a"}, {})]
        found = repeats([call("a", 0.9), call("b", 1.6), call("a", 1.7)], kills)
        self.assertEqual((found.times, found.unlisted, found.after_answer, found.replied_before), (1, [], [], []))

    def test_one_that_was_not_listed_is_found(self) -> None:
        kills = [Killed(1.0, 1.5, 0, {"b"}, {}), Killed(2.0, 2.5, 0, set(), {})]
        found = repeats([call("a", 0.5, 0.8), call("a", 2.7)], kills)
        self.assertEqual((found.times, found.items, found.unlisted), (1, {"a"}, ["a"]))
        self.assertAlmostEqual(found.replied_before[0], 0.2)

    def test_one_that_was_answered_before_is_found(self) -> None:
        kills = [Killed(1.0, 1.5, 1, {"a"}, {"a": "so"})]
        self.assertEqual(repeats([call("a", 0.5), call("a", 1.7)], kills).after_answer, ["a"])

    def test_one_that_one_run_sends_twice_is_found(self) -> None:
        self.assertEqual(repeats([call("a", 0.5), call("a", 0.7)], []).unlisted, ["a"])


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200 if self.path == "/let-in" else 429)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "12")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Recording(unittest.TestCase):
    """The recorder, between a client and a server."""

    def echo(self) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def test_it_passes_on_and_tells_calls_apart(self) -> None:
        body = json.dumps({"text": prompt("kill", 3)}).encode()
        with Recorder(self.echo()) as recorder:
            urllib.request.urlopen(urllib.request.Request(recorder.url, method="HEAD"), timeout=10).close()
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(recorder.url, data=body), timeout=10)
            self.assertEqual(refused.exception.read(), body)
            refused.exception.close()
            found = recorder.calls()
        self.assertEqual([(each.item, each.status) for each in found], [("kill-0000003", 429)])
        self.assertEqual(len(recorder.exchanges), 2)

    def test_it_holds_back_answers_and_no_refusals(self) -> None:
        with Recorder(self.echo(), lambda: 0.3) as recorder:
            recorder.watch_itself()
            urllib.request.urlopen(urllib.request.Request(f"{recorder.url}/let-in", data=b"asked"), timeout=10).close()
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(recorder.url, data=b"asked"), timeout=10)
            refused.exception.close()
        first, second = recorder.exchanges
        self.assertGreaterEqual((first.answered or 0) - first.arrived, 0.3)
        self.assertLess((second.answered or 0) - second.arrived, 0.3)
        self.assertTrue(recorder.late)

    def test_the_time_of_calls_is_that_of_those_that_were_let_in(self) -> None:
        calls = [call("b", 3.0, 4.0), call("a", 1.0, 9.0), call("c", 0.5, 0.6, 429), Exchange(None, b"", b"", 0, 99)]
        self.assertEqual([each.item for each in let_in(calls)], ["a", "b"])
        self.assertEqual(span(let_in(calls)), 8)
        with self.assertRaises(Broken):
            span([call("a", 1.0, 9.0), call("b", 3.0)])
        with self.assertRaises(Broken):
            span([])


class Prompts(unittest.TestCase):
    """Files of prompts."""

    def test_no_two_are_alike(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            lines = write_prompts(Path(folder) / "in.jsonl", "a", 300).read_text().splitlines()
        self.assertEqual(len({json.loads(line)["prompt"] for line in lines}), 300)


if __name__ == "__main__":
    unittest.main()
