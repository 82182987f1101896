"""Sentences are their text, and remember the figures among their words."""

from lipcert.render.figure import Figure, figure, sentence
from lipcert.render.html.markup import join


def test_a_sentence_is_its_text_and_keeps_its_figures():
    share = figure("81.2 %", 0.812, "brackets.certified_accuracy", {"norm": "linf"})
    inner = sentence("{share} are robust", share=share)
    whole = sentence("{ball}: {inner}, {{so far}}.", ball="linf {0.1}", inner=inner)
    assert whole == "linf {0.1}: 81.2 % are robust, {so far}."
    assert [part for part in whole.parts if isinstance(part, Figure)] == [share]


def test_its_words_are_escaped_and_its_figures_marked():
    found = join(sentence("{name} is {value}", name="<b>&", value=figure("2", 2.0, "layers.share")))
    assert found == '&lt;b&gt;&amp; is <data value="2.0" data-metric="layers.share">2</data>'
