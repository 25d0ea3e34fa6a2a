"""Sessions that tests make up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from emotion.faces.detect import Box
from emotion.streams.record import FaceRecord, Moment
from emotion.streams.session.marks import Pause, TimeMark
from emotion.streams.session.saved import SavedSession
from emotion.vote.voting import Vote

CLASSES = ("Happy", "Sad", "Neutral")
MODELS = ("a", "b")
START = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
BOX = Box(10, 20, 30, 40)


def vote(label: str, share: float = 0.8, why: str = "", classes: Sequence[str] = CLASSES) -> Vote:
    rest = (1 - share) / (len(classes) - 1)
    shares = {name: share if name == label else rest for name in classes}
    return Vote(label, (label, classes[0]), shares, label != classes[0], bool(why), why)


def face(label: str, number: int = 3, why: str = "", smoothed: str = "Sad") -> FaceRecord:
    return FaceRecord(number, vote(label, why=why), vote(smoothed, 0.7), BOX)


def moments(*labels: str | None, every: float = 2.0) -> list[Moment]:
    """One every two seconds; smoothed votes are always Sad."""
    return [
        Moment(
            every * i, START + timedelta(seconds=every * i), () if label is None else (face(label),), None, every, 1.5
        )
        for i, label in enumerate(labels)
    ]


def session(*labels: str | None, every: float = 2.0, smoothed: bool = False) -> SavedSession:
    marks, pauses = (TimeMark(2.5, "question 1"), TimeMark(7.0, "=1+1")), (Pause(3.0, 5.0), Pause(100.0))
    return SavedSession(
        tuple(moments(*labels, every=every)),
        marks,
        pauses,
        CLASSES,
        MODELS,
        "mine",
        "f" * 64,
        every,
        1.5,
        smoothed,
        "2.0",
    )


def random_session(random: object, n: int = 60) -> SavedSession:
    """A session in which anything occurs that can: several faces, none, doubts, boxes half outside."""
    from random import Random

    assert isinstance(random, Random)
    some, at = [], 0.0
    for _ in range(n):
        at += random.uniform(0.1, 3)
        faces = []
        for number in random.sample(range(1, 9), random.randrange(3)):
            why = random.choice(["", "", "low probability", "too small"])
            one = vote(random.choice(CLASSES), random.random(), why)
            box = Box(random.randint(-9, 600), random.randint(-9, 400), random.randint(1, 90), random.randint(1, 90))
            faces.append(FaceRecord(number, one, vote(random.choice(CLASSES), random.random()), box))
        utc = START + timedelta(seconds=at)
        some.append(Moment(at, utc, tuple(faces), None, random.choice([0.25, 2.0]), random.uniform(0, 9)))
    return replace(session(), moments=tuple(some), smoothed=random.random() < 0.5)
