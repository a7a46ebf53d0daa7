#!/usr/bin/env python3
"""Prints scores.csv: the scores of sample posts, by a calculation of its own.

Written from the formulas as they are stated, not from the program, so that
the two can be compared. Standard library only:

    python3 scores.py > scores.csv

README.md beside this file states the formulas and the decisions taken where
they leave room.
"""

import csv
import math
import sys

USUAL_WEIGHTS = (0.35, 0.35, 0.20, 0.10)  # velocity, relevance, openness, author quality
USUAL_THRESHOLDS = (0.72, 0.55)  # green_min, yellow_min

QUESTION_WORDS = {"what", "why", "how", "when", "where", "who", "which", "whose"}
HEDGES = {
    "maybe", "perhaps", "possibly", "might", "could", "seem", "seems", "appear",
    "appears", "probably", "wonder", "think", "feel", "believe",
}
AUTHOR_QUALITY = {"blacklisted": 0.0, "whitelisted": 0.9, "neutral": 0.6}


def case(name, text, followers=5000, likes=40, replies=6, reposts=4, minutes=90.0,
         author="neutral", best=0.8, second=0.6, weights=USUAL_WEIGHTS,
         thresholds=USUAL_THRESHOLDS):
    """One post with all that its score depends on; what is not given is ordinary."""
    return dict(name=name, text=text, followers=followers, likes=likes, replies=replies,
                reposts=reposts, minutes=minutes, author=author, best=best, second=second,
                weights=weights, thresholds=thresholds)


PLAIN = "Trued two wheels before lunch and one of them stayed true."
OPEN = "Why does my freehub scream on the flat? Could it be the seals?"

CASES = [
    # Velocity
    case("an ordinary post", PLAIN),
    case("no engagement scores half a velocity", PLAIN, likes=0, replies=0, reposts=0),
    case("posted this very minute counts as one minute", PLAIN, likes=3, replies=1, minutes=0.0),
    case("half a minute counts as one minute", PLAIN, likes=3, replies=1, minutes=0.5),
    case("exactly one minute", PLAIN, likes=3, replies=1, minutes=1.0),
    case("fractions of a minute count beyond the first", PLAIN, minutes=90.5),
    case("a post dated in the future counts as one minute old", PLAIN, likes=2, replies=0,
         reposts=0, minutes=-5.0),
    case("no followers count as a hundred", PLAIN, followers=0, likes=1, replies=0, reposts=0),
    case("a hundred followers", PLAIN, followers=100, likes=1, replies=0, reposts=0),
    case("a hundred and one followers", PLAIN, followers=101, likes=1, replies=0, reposts=0),
    case("ten million followers", PLAIN, followers=10_000_000, likes=900, replies=80, reposts=60),
    case("likes alone", PLAIN, likes=30, replies=0, reposts=0),
    case("replies weigh twice as much as likes", PLAIN, likes=0, replies=30, reposts=0),
    case("reposts weigh half as much again as likes", PLAIN, likes=0, replies=0, reposts=30),
    case("a billion likes in a minute saturate at one", PLAIN, likes=1_000_000_000, minutes=1.0),
    # Relevance
    case("one taxonomy node only, so the second is 0", PLAIN, best=0.7, second=0.0),
    case("two nodes that fit equally well", PLAIN, best=0.7, second=0.7),
    case("a perfect match reaches 1", PLAIN, best=1.0, second=0.0),
    case("no similarity at all", PLAIN, best=0.0, second=0.0),
    case("negative similarities count as 0", PLAIN, best=-0.05, second=-0.2),
    # Openness
    case("question mark, question word and hedge", "Why does it click? I think it might be the "
         "bottom bracket. Or is it?"),
    case("question mark only", "Is a third hand worth the bench space?"),
    case("question word at the start with a capital", "How I store forty inner tubes"),
    case("question word at the start in capitals", "WHEN THE CABLE FRAYS, STOP PULLING"),
    case("question word at the start in small letters", "where the spare links go to hide"),
    case("question word with an apostrophe", "What's on my bench: mud"),
    case("question word that is the whole text", "Whose"),
    case("question word after white space", "  \tWhich grease do you use on seat posts"),
    case("question word as the start of a longer word: whatever", "Whatever you do, mark the seat "
         "height first"),
    case("question word as the start of a longer word: however", "However hard I try, the rim "
         "tape creases"),
    case("question word as the start of a longer word: whoever", "whoever rounded off this bolt, "
         "hello"),
    case("question word that is not at the start", "Tell me why the good hex key is always lost"),
    case("question word after an opening quotation mark", "\"Why is it still creaking\" is my ring "
         "tone now"),
    case("question mark followed by spaces and a line end", "Is tubeless worth it in town?  \n"),
    case("question mark followed by an emoji", "Is tubeless worth it in town? 🤔"),
    case("question mark followed by a quotation mark", "My daughter asked \"is it a fish?\""),
    case("question mark in the middle", "Squeaky brakes? Clean the rotor first."),
    case("two question marks and an exclamation mark", "You charge how much??!"),
    case("hedge in capitals", "MAYBE the chain is just sad"),
    case("several hedges count once", "I think maybe it could possibly be the derailleur hanger, "
         "perhaps"),
    case("hedge next to punctuation", "Bent hanger, probably."),
    case("hedges with an s", "It seems straight and it appears clean"),
    case("hedges inside longer words", "A mighty coulda from a thinker of feelings, unbelievably "
         "maybes"),
    case("other forms of a hedge are no hedge", "It seemed loose, it appeared cracked, I wondered, "
         "thinking hard"),
    case("empty text", ""),
    # Author
    case("a whitelisted author", OPEN, author="whitelisted"),
    case("a blacklisted author", OPEN, author="blacklisted"),
    # Ordinary posts, everything different
    case("a question from a small account", "Which chain tool survives a shop full of students? I "
         "believe in none of mine", followers=1240, likes=18, replies=9, reposts=1, minutes=47.0,
         best=0.731, second=0.412),
    case("a big account, an old post", "Our waiting list is now longer than our street.",
         followers=284_310, likes=612, replies=75, reposts=101, minutes=331.0, best=0.805,
         second=0.798),
    case("a whitelisted friend, a quiet post", "Could someone check my torque table?",
         followers=3_777, likes=4, replies=1, reposts=0, minutes=12.25, author="whitelisted",
         best=0.644, second=0.593),
    case("second best is nearly none", "Who taught you to true a wheel?", followers=15_008,
         likes=233, replies=41, reposts=17, minutes=205.0, best=0.9125, second=0.0375),
    # Total and label
    case("green by a good margin", OPEN, likes=160, replies=24, reposts=12, best=0.86, second=0.55),
    case("yellow by a good margin", PLAIN, likes=160, replies=24, reposts=12, best=0.8,
         second=0.6),
    case("red by a good margin", PLAIN, likes=2, replies=0, reposts=0, best=0.3, second=0.25),
    case("a total equal to green_min is green", PLAIN, likes=0, replies=0, reposts=0,
         weights=(1.0, 0.0, 0.0, 0.0), thresholds=(0.5, 0.25)),
    case("a total just under green_min is yellow", PLAIN, likes=0, replies=0, reposts=0,
         weights=(1.0, 0.0, 0.0, 0.0), thresholds=(0.500001, 0.25)),
    case("a total equal to yellow_min is yellow", PLAIN, likes=0, replies=0, reposts=0,
         weights=(1.0, 0.0, 0.0, 0.0), thresholds=(0.75, 0.5)),
    case("a total just under yellow_min is red", PLAIN, likes=0, replies=0, reposts=0,
         weights=(1.0, 0.0, 0.0, 0.0), thresholds=(0.75, 0.500001)),
    case("relevance alone", PLAIN, weights=(0.0, 1.0, 0.0, 0.0)),
    case("openness alone", OPEN, weights=(0.0, 0.0, 1.0, 0.0)),
    case("author quality alone", PLAIN, author="whitelisted", weights=(0.0, 0.0, 0.0, 1.0)),
    case("weights that sum to less than 1", OPEN, weights=(0.1, 0.2, 0.3, 0.15),
         thresholds=(0.5, 0.3)),
    case("weights that sum to more than 1", PLAIN, weights=(0.5, 0.5, 0.4, 0.1)),
    case("all weights 0", OPEN, weights=(0.0, 0.0, 0.0, 0.0)),
]


def is_word_character(character):
    return character.isalnum() or character == "_"


def words(text):
    """The maximal runs of letters, digits and underscores, in lower case."""
    spaced = "".join(c if is_word_character(c) else " " for c in text.lower())
    return spaced.split()


def starts_with_question_word(text):
    start = text.strip()
    if not start or not is_word_character(start[0]):
        return False
    return words(start)[0] in QUESTION_WORDS


def clamp(value):
    return min(1.0, max(0.0, value))


def score(post):
    """Every term of a post's score, in the order of the columns."""
    engagement = post["likes"] + 2 * post["replies"] + 1.5 * post["reposts"]
    x = engagement / max(1, post["minutes"]) / math.log10(max(100, post["followers"]))
    velocity = 1 / (1 + math.exp(-6 * x))

    best, second = clamp(post["best"]), clamp(post["second"])
    relevance = 0.8 * best + 0.2 * max(0, best - second)

    question_mark = 0.25 if post["text"].strip().endswith("?") else 0.0
    question_word = 0.25 if starts_with_question_word(post["text"]) else 0.0
    hedge = 0.15 if any(word in HEDGES for word in words(post["text"])) else 0.0
    openness = min(1, 0.05 + question_mark + question_word + hedge)

    author_quality = AUTHOR_QUALITY[post["author"]]

    w_velocity, w_relevance, w_openness, w_author_quality = post["weights"]
    total = (w_velocity * velocity + w_relevance * relevance
             + w_openness * openness + w_author_quality * author_quality)

    green_min, yellow_min = post["thresholds"]
    label = "green" if total >= green_min else "yellow" if total >= yellow_min else "red"
    return [x, velocity, relevance, question_mark, question_word, hedge, openness,
            author_quality, total, label]


COLUMNS = [
    "case", "text", "followers", "likes", "replies", "reposts", "minutes", "author_state",
    "best", "second", "w_velocity", "w_relevance", "w_openness", "w_author_quality",
    "green_min", "yellow_min", "x", "velocity", "relevance", "question_mark",
    "question_word", "hedge", "openness", "author_quality", "total", "label",
]


def cell(value):
    return f"{value:.12g}" if isinstance(value, float) else value


def main():
    # Straight to UTF-8, whatever the locale, so that the file is the same everywhere.
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    for post in CASES:
        inputs = [post[key] for key in ("name", "text", "followers", "likes", "replies",
                                        "reposts", "minutes", "author", "best", "second")]
        row = inputs + list(post["weights"]) + list(post["thresholds"]) + score(post)
        table.writerow([cell(value) for value in row])


if __name__ == "__main__":
    main()
