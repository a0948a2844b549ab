from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.corpus import passages
from tagger.duplicates import NEAR, near_duplicates, shingles, words


def test_duplicates_words_and_shingles_of_a_sentence():
    assert words("NGOs’ staff -- in 2013 -- said: no.") == ["ngos", "staff", "in", "2013", "said", "no"]
    assert shingles("One two, three four.") == {("one", "two", "three"), ("two", "three", "four")}
    assert shingles("One two.") == {("one", "two")}
    assert shingles("...") == {()}


def test_duplicates_similarity_of_a_worked_example():
    # Four trigrams, the same four and one more: 4 / 5.
    texts = ["Police arrested two men in May.", "No shelter was open.", "police arrested two men in May, 2014", "No shelter was open!"]
    near = near_duplicates(texts)
    assert (near.same, near.pairs) == ([0, 1, 2, 1], [(0, 2, pytest.approx(0.8))])
    assert near.nearest([0, 3], [1, 2]) == [(0, 2, pytest.approx(0.8)), (3, 1, 1.0)]
    assert near.nearest([0], [1, 3]) == []


def test_duplicates_of_few_or_no_words():
    assert near_duplicates([]).pairs == []
    near = near_duplicates(["", "...", "Yes.", "yes", "No."])
    assert (near.same, near.pairs) == ([0, 0, 2, 2, 4], [])


def test_duplicates_of_very_many_equal_texts_take_no_more_room_than_of_few():
    near = near_duplicates(["None reported."] * 20_000 + ["Police arrested two men in May, 2014.", "Police arrested two men in May."])
    assert near.pairs == [(20_000, 20_001, pytest.approx(0.8))]
    assert near.nearest(range(10_000), range(10_000, 20_000)) == [(row, 10_000, 1.0) for row in range(10_000)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), max_size=12))
def test_duplicates_are_those_of_comparing_every_pair(texts):
    sets = [shingles(text) for text in texts]
    exact = [(i, j) for i, j in combinations(range(len(texts)), 2) if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= NEAR]
    near = near_duplicates(texts)
    told = {pair[:2] for pair in near.pairs}
    assert [
        (i, j)
        for i, j in combinations(range(len(texts)), 2)
        if (one := near.same[i]) == (other := near.same[j]) or (min(one, other), max(one, other)) in told
    ] == exact
    for i in range(len(texts)):
        others = [j for j in range(len(texts)) if j != i]
        likeness = {j: len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for j in others}
        nearest = near.nearest([i], others)
        assert [pair.similarity for pair in nearest] == [best for best in [max(likeness.values(), default=0)] if best >= NEAR]
        assert all(likeness[pair.second] == pair.similarity for pair in nearest)


def test_duplicates_of_real_sentences_with_changed_words_are_found(root):
    texts = [row["text"] for row in passages(root / "corpora/mexico-2014")]
    long = [text for text in texts if len(words(text)) >= 20]
    changed = [text.replace(words(text)[-1], "otherwise") for text in long]  # the last word stands in one trigram, or in a few more
    sets = [shingles(text) for text in (*long, *changed)]
    similar = [n for n in range(len(long)) if len(sets[n] & sets[n + len(long)]) / len(sets[n] | sets[n + len(long)]) >= NEAR]
    near = near_duplicates([*long, *changed])
    found = {pair[:2] for pair in near.pairs} | {(first, row) for row, first in enumerate(near.same) if first != row}
    assert len(similar) > 50
    assert found == {(n, n + len(long)) for n in similar}
