"""`emotion-diarization tune`: the decoder and the temperature of a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def tune(
    model: Annotated[Path, typer.Option(help="Folder of a trained model; its config.json is changed.")],
    dataset: Annotated[Path, typer.Option(help="Folder of a dataset.")],
    split: Annotated[
        str, typer.Option(help="Split that the model was not trained on and will not be tested on.")
    ] = "validation",
    decoder: Annotated[list[str] | None, typer.Option(help="Only this decoder; repeatable.")] = None,
) -> None:
    """Fit the decoder of a model and the temperature of its scores on validation data, as training does."""
    from ..decoding_sed import check_decoder
    from ..evaluation import tuning
    from ..recordings.sources import dataset_split
    from .model_loading import load_pipeline

    rows = dataset_split(dataset, split)
    pipeline = load_pipeline(str(model))
    for name in decoder or ():
        check_decoder(name, len(pipeline.model.config.labels))
    fitted = tuning.fit(tuning.posteriors_of(pipeline, rows, [dataset]), pipeline.model.config, decoder)
    tuning.store(model, pipeline.model.config)
    error = fitted["calibration_error"]
    typer.echo(
        f"temperature {fitted['temperature']:.2f}: expected calibration error {100 * error['before']:.2f} % -> "
        f"{100 * error['after']:.2f} %"
    )
    typer.echo(f"EDER on {split}; the model now has the first decoder:")
    for result in fitted["decoders"].values():
        typer.echo(f"  {100 * result['eder']:6.2f} %  {json.dumps(result['decoder'])}")
