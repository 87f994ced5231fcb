"""The same predictions scored by other libraries: what of docs/metrics.md agrees with them, and what does not.

    pip install --no-deps speechbrain==1.1.0 pyannote.metrics sed_eval sed_scores_eval …
    python -m benchmarks.scoring_peers

Utterances last 6 s and are answered in frames of 20 ms; each has one true event, with borders of frames.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.eder import DURATION, EMOTIONS, FRAMES, STRIDE, random_utterances
from modeling_sed.evaluation.pairing import Pairs
from modeling_sed.evaluation.report import score_pairs
from modeling_sed.metrics.eder.frame_labels import segments_from_frames
from tests.metrics.freeze_speechbrain_eder import load_speechbrain_eder

COUNT = 1000


def utterances() -> tuple[list[list[str]], Pairs]:
    """Frame labels of predictions, and all as segments."""
    frames, references = random_utterances(COUNT)
    generator = np.random.default_rng(1)
    for labels, (event,) in zip(frames, references, strict=True):
        start, end = (round(event[side] / STRIDE) for side in ("start", "end"))
        start, end = min(start, FRAMES - 1), max(end, start + 1)
        event.update(label=event["emo"], start=start * STRIDE, end=end * STRIDE)
        if generator.random() < 0.7:  # found, more or less; the others are answered at random
            off = np.clip(generator.normal((start, end), 10).round().astype(int), 0, FRAMES)
            labels[off[0] : off[1]] = [event["label"]] * max(off[1] - off[0], 0)
    names = [f"u{number}" for number in range(COUNT)]
    found = [segments_from_frames(labels, DURATION) for labels in frames]
    return frames, Pairs(names, references, found, [DURATION] * COUNT)


def emotions(segments: list[dict]) -> list[dict]:
    """Without the neutral ones."""
    return [segment for segment in segments if segment["label"] != "neutral"]


def speechbrain(frames: list[list[str]], pairs: Pairs) -> float:
    """Mean EDER."""
    eder = load_speechbrain_eder()
    rates = [
        eder([label[0] for label in labels], "id", DURATION, events, STRIDE, STRIDE)
        for labels, events in zip(frames, pairs.references, strict=True)
    ]
    return float(np.mean(rates))


def pyannote(pairs: Pairs) -> Iterator[tuple[str, float]]:
    """Detection and identification error rates with emotions as speakers."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.detection import DetectionErrorRate
    from pyannote.metrics.identification import IdentificationErrorRate

    def annotation(segments: list[dict]) -> Annotation:
        found = Annotation()
        for index, segment in enumerate(emotions(segments)):
            found[Segment(segment["start"], segment["end"]), index] = segment["label"]
        return found

    whole = Timeline([Segment(0, DURATION)])
    for metric in (DetectionErrorRate(), IdentificationErrorRate()):
        for reference, prediction in zip(pairs.references, pairs.predictions, strict=True):
            metric(annotation(reference), annotation(prediction), uem=whole)
        yield metric.name, float(abs(metric))


def sed_eval_rates(pairs: Pairs) -> tuple[float, float]:
    """Segment error rate over 1 s, and event F1 with a collar of 0.2 s."""
    import dcase_util
    import sed_eval

    def container(segments: list[dict]) -> dcase_util.containers.MetaDataContainer:
        rows = [{"event_label": s["label"], "onset": s["start"], "offset": s["end"]} for s in emotions(segments)]
        return dcase_util.containers.MetaDataContainer(rows)

    segment_based = sed_eval.sound_event.SegmentBasedMetrics(list(EMOTIONS), time_resolution=1.0)
    event_based = sed_eval.sound_event.EventBasedMetrics(
        list(EMOTIONS), t_collar=0.2, percentage_of_length=0.2, event_matching_type="optimal"
    )
    for reference, prediction in zip(pairs.references, pairs.predictions, strict=True):
        both = container(reference), container(prediction)
        segment_based.evaluate(*both, evaluated_length_seconds=DURATION)
        event_based.evaluate(*both)
    return (
        float(segment_based.overall_error_rate()["error_rate"]),
        float(event_based.overall_f_measure()["f_measure"]),
    )


def sed_scores_eval_f1(frames: list[list[str]], pairs: Pairs, collar: float) -> float:
    """Event F1 of scores that are 1 where an emotion is predicted."""
    import sed_scores_eval
    from sed_scores_eval.base_modules.scores import create_score_dataframe

    times = np.arange(FRAMES + 1) * STRIDE
    scores = {
        name: create_score_dataframe(1.0 * (np.array(labels)[:, None] == np.array(EMOTIONS)), times, list(EMOTIONS))
        for name, labels in zip(pairs.names, frames, strict=True)
    }
    truth = {
        name: [(event["start"], event["end"], event["label"]) for event in events]
        for name, events in zip(pairs.names, pairs.references, strict=True)
    }
    *_, statistics = sed_scores_eval.collar_based.fscore(
        scores, truth, 0.5, onset_collar=collar, offset_collar=collar, offset_collar_rate=0.2
    )
    counts = [statistics[emotion] for emotion in EMOTIONS]
    right, wrong, true = (sum(count[name] for count in counts) for name in ("tps", "fps", "n_ref"))
    return 2 * right / (right + wrong + true)


def main() -> None:
    """Prints ours beside theirs."""
    frames, pairs = utterances()
    ours = score_pairs(pairs, ["neutral"])
    seconds = ours["durations"]
    true = sum(sum(row.values()) for label, row in seconds.items() if label != "neutral")
    false_alarm, missed, confusion = (
        ours[f"{name}_by_duration"] * COUNT * DURATION for name in ("false_alarm", "missed_emotion", "confusion")
    )
    rows = [("EDER", ours["eder"], "SpeechBrain", speechbrain(frames, pairs))]
    names = {
        "(false alarm + missed) / true emotion": (false_alarm + missed) / true,
        "(all errors) / true emotion": (false_alarm + missed + confusion) / true,
    }
    rows += [
        (name, value, f"pyannote.metrics, {peer}", theirs)
        for (name, value), (peer, theirs) in zip(names.items(), pyannote(pairs), strict=True)
    ]
    error_rate, event_f1 = sed_eval_rates(pairs)
    rows.append(("segment error rate", ours["segment_error_rate"]["error_rate"], "sed_eval", error_rate))
    rows.append(("event F1, collar 0.2 s", ours["event_f1"][0]["f1"], "sed_eval", event_f1))
    rows += [
        (f"event F1, collar {one['collar']:g} s", one["f1"], "sed_scores_eval", f1)
        for one in ours["event_f1"]
        for f1 in [sed_scores_eval_f1(frames, pairs, one["collar"])]
    ]
    for name, value, peer, theirs in rows:
        print(f"{name:<40}{value:12.6f}   {peer:<45}{theirs:12.6f}{theirs - value:+12.1e}")


if __name__ == "__main__":
    main()
