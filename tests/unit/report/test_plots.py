"""Curves are what was logged, in a drawing that a page can take in."""

import re
import xml.etree.ElementTree as ElementTree

from spanwise.report.plots import training_curves
from spanwise.report.run_files import TrainingLog


def _log(name="sad", series=2, pretraining=False, **fields):
    lines = [{"step": step, **{field: value / step for field, value in fields.items()}} for step in (1, 2, 4)]
    return TrainingLog(name, pretraining, series, lines)


def test_only_what_was_logged_is_drawn():
    drawing = training_curves([_log(reason_loss=3.0, act_loss=1.0), _log("teacher", 1, True, loss=2.0)])
    titles = re.findall(r">([^<]+)</text>", drawing)
    assert "REASON: loss, nats" in titles
    assert "ACT: loss, nats" in titles
    assert "pretraining of teacher: loss on all tokens, nats" in titles
    assert not any("KL" in title or "entropy" in title for title in titles)


def test_nothing_logged_is_no_drawing():
    assert training_curves([]) == ""
    assert training_curves([_log(seconds=3.0)]) == ""


def test_a_curve_has_a_point_per_line_that_holds_the_field():
    log = _log(reason_loss=1.0)
    log.lines.insert(1, {"step": 3, "note": "a checkpoint"})
    paths = re.findall(r'<path d="([^"]+)"[^>]*style="[^"]*stroke: var\(--series-2\)', training_curves([log]))
    curve = max(paths, key=len)
    assert len(re.findall(r"[ML] ", curve)) == 3


def test_a_learner_keeps_its_colour():
    drawing = training_curves([_log("teacher", 1, reason_loss=1.0), _log("b", 5, reason_loss=1.0)])
    assert set(re.findall(r"--series-\d", drawing)) == {"--series-1", "--series-5"}


def test_more_learners_than_colours_are_told_apart_by_dashes():
    assert "stroke-dasharray" in training_curves([_log(series=9, reason_loss=1.0)])
    assert "stroke-dasharray" not in training_curves([_log(series=8, reason_loss=1.0)])


def test_the_drawing_is_xml_and_names_are_text():
    drawing = training_curves([_log("<b>$x_1$ & _co", reason_loss=1.0, act_loss=1.0)])
    texts = [element.text for element in ElementTree.fromstring(drawing).iter("text")]
    assert "<b>$x_1$ & _co" in texts
