"""Decoders: how fast they are, and what they do to EDER and to the sequences of emotions.

    python -m benchmarks.decoding
    python -m benchmarks.decoding RUN_1 DATASET_1 [RUN_2 DATASET_2 …]

The first times them on random posteriors of one hour and of two. The second takes models with the datasets that they
were trained on, a pair for each seed; for each, parameters and temperature are fitted on the validation split, and
scored once on the test split. Differences to argmax are paired; their intervals come from a bootstrap over the
utterances of all seeds together, and over their speakers, who are what is independent.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections import defaultdict
from typing import Any

import numpy as np
from datasets import load_from_disk
from transformers import pipeline

import modeling_sed
from modeling_sed import SEDConfig
from modeling_sed.decoding_sed import DECODERS, decode
from modeling_sed.evaluation.tuning import (
    GRIDS,
    decode_utterances,
    expected_calibration_error,
    fit_temperature,
    posteriors_of,
    tune_decoder,
)
from modeling_sed.metrics.eder.scoring import score_segments
from modeling_sed.metrics.emotion_transition_accuracy.transitions import transition_accuracy

HOUR = 180_000  # frames
RESAMPLES = 10_000


def time_decoders() -> None:
    """Prints seconds for one hour and two; posteriors change as those of speech do, every half second or so."""
    generator = np.random.default_rng(0)
    noise = generator.standard_normal((2 * HOUR, 4)).cumsum(axis=0)
    logits = noise - np.vstack([np.zeros((25, 4)), noise[:-25]]) + generator.standard_normal((2 * HOUR, 4))
    posteriors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    print(f"{os.cpu_count()} cores, {platform.machine()}; Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{'decoder':<20}{'1 hour':>10}{'2 hours':>10}")
    for name in DECODERS:
        row = []
        for frames in (HOUR, 2 * HOUR):
            start = time.perf_counter()
            decode(posteriors[:frames], name, neutral=0, frame_seconds=0.02)
            row.append(time.perf_counter() - start)
        print(f"{name:<20}{row[0]:>8.2f} s{row[1]:>8.2f} s")


def true_boundaries(utterances: list[dict[str, Any]], config: SEDConfig) -> list[list[dict[str, Any]]]:
    """What no decoder can do better: true times, with the emotion that the model finds most probable for them."""
    neutral = config.labels.index(config.neutral_label)
    found = []
    for item in utterances:
        scores = np.log(np.maximum(item["posteriors"], 1e-8))
        scores[:, neutral] = -np.inf
        middles = (item["frame_times"][:-1] + item["frame_times"][1:]) / 2
        segments = []
        for segment in item.annotation.segments:
            if segment["label"] == config.neutral_label:
                continue
            inside = (middles >= segment["start"]) & (middles < segment["end"])
            segments.append({**segment, "label": config.labels[int(scores[inside].sum(axis=0).argmax())]})
        found.append(segments)
    return found


def score_run(run: str, dataset: str) -> dict[str, dict[str, Any]]:
    """Test scores of each decoder of one model; prints what was fitted."""
    diarize = pipeline(modeling_sed.TASK, model=run)
    config, splits = diarize.model.config, load_from_disk(dataset)
    validation, test = (posteriors_of(diarize, splits[name]) for name in ("validation", "test"))
    temperature = fit_temperature(validation)
    errors = [expected_calibration_error(test, value) for value in (1.0, temperature)]
    print(f"\n{run}: temperature {temperature:.2f}, calibration error on test {errors[0]:.3f} -> {errors[1]:.3f}")
    tuned = tune_decoder(validation, config, temperature)
    print("on validation: " + ", ".join(f"{name} {100 * best['eder']:.2f}" for name, best in tuned.items()))
    choices = {name: tuned[name]["decoder"] for name in GRIDS}
    choices["events"] = {"name": "events", "minimum": 1}
    choices["the model's default"] = next(iter(tuned.values()))["decoder"]
    found = {name: decode_utterances(test, config, decoder, temperature) for name, decoder in choices.items()}
    found["(true boundaries)"] = true_boundaries(test, config)
    references, durations = [item.annotation.segments for item in test], [item.annotation.duration for item in test]
    speaker_of = dict(zip(splits["test"]["name"], splits["test"]["speaker"], strict=True))
    speakers = np.array([speaker_of[item.annotation.name] for item in test])
    return {
        name: {
            "decoder": choices.get(name),
            "eder": np.array(
                score_segments(segments, references, durations, neutral_label=config.neutral_label, per_utterance=True)[
                    "per_utterance"
                ]["eder"]
            ),
            "sequences": transition_accuracy(segments, references, durations, config.neutral_label)["accuracy"],
            "speakers": speakers,
        }
        for name, segments in found.items()
    }


def interval(gains: np.ndarray, baseline: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """95 % interval of the relative change of the mean, by bootstrap over utterances, or over groups of them."""
    generator = np.random.default_rng(0)
    if groups is not None:
        _, which = np.unique(groups, return_inverse=True)
        gains, baseline = (np.bincount(which, values) for values in (gains, baseline))
    drawn = generator.integers(len(gains), size=(RESAMPLES, len(gains)))
    low, high = np.quantile(gains[drawn].sum(axis=1) / baseline[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def main(*pairs: str) -> None:
    """Prints the tables."""
    if not pairs:
        time_decoders()
        return
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run, dataset in zip(pairs[::2], pairs[1::2], strict=True):
        for name, result in score_run(run, dataset).items():
            runs[name].append(result)
    print(
        f"\n{'decoder':<22}{'EDER (%) by seed':<24}{'mean':>7}{'relative':>10}{'by utterance':>18}{'by speaker':>18}"
        f"{'sequences right':>17}"
    )
    baseline = np.concatenate([result["eder"] for result in runs["argmax"]])
    for name, results in runs.items():
        rates = np.concatenate([result["eder"] for result in results])
        speakers = np.concatenate([result["speakers"] for result in results])
        means = [100 * float(result["eder"].mean()) for result in results]
        change = rates - baseline
        intervals = [
            f"{100 * low:+.1f} to {100 * high:+.1f} %"
            for low, high in (interval(change, baseline), interval(change, baseline, speakers))
        ]
        sequences = 100 * np.mean([result["sequences"] for result in results])
        print(
            f"{name:<22}{'  '.join(f'{mean:.2f}' for mean in means):<24}{np.mean(means):>7.2f}"
            f"{100 * change.mean() / baseline.mean():>+8.1f} %{intervals[0]:>18}{intervals[1]:>18}{sequences:>15.1f} %"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
