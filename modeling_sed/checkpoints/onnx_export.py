"""Models as ONNX graphs, in fp32 or with 8 bit integers, with the code that runs them without torch.

The folder holds ``model.onnx`` (``input_values (1, samples)``, raw audio of up to 32 s -> ``posteriors (1, frames,
labels)``), ``config.json``, and the program ``diarize_onnx.py`` (onnx_runner/) with the files of this package that it
imports.

With 8 bits, the large matrix products are quantised: weights with one scale for each output, inputs with a scale that
is computed at run time (dynamic quantisation). Weights use 7 of the 8 bits, since processors without VNNI add two
products in 16 bits, which would saturate. Attention itself, normalisations and the classifier stay fp32.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from transformers import WhisperFeatureExtractor

from ..modeling_sed import SEDForAudioFrameClassification
from ..pipeline_sed import CONTEXT
from .new_folder import new_folder
from .onnx_graph import PosteriorsOfRawAudio
from .opening import open_model

OPSET = 23  # the first with attention as one operator
SMALLEST_QUANTIZED = 16  # rows and columns of a weight: classifiers and gates are smaller

RUNNER = Path(__file__).with_name("onnx_runner")
IMPORTED_BY_RUNNER = (
    *("audio_files_sed.py", "audio_forms_sed.py", "audio_sed.py"),
    *("decoding_sed.py", "frames_sed.py", "limits_sed.py", "values_sed.py"),
)


def export_onnx(model: str | Path, output_dir: str | Path, int8: bool = False) -> Path:
    """Writes a trained model as a folder that ONNX Runtime runs without torch, completely or not at all.

    Args:
        model: folder or hub id.
        output_dir: a new folder.
        int8: quantise to 8 bit integers: a quarter of the size, and faster on CPUs.

    Returns:
        The folder.

    Raises:
        InputError: if the model cannot be loaded or is not a model of this package, or the folder exists.
    """
    with new_folder(output_dir) as folder:
        trained, feature_extractor = open_model(model, dtype="float32")
        _write_code(folder)
        _write_config(folder / "config.json", trained, _shortest(trained, feature_extractor))
        graph = folder / "model.onnx"
        _write_graph(trained, feature_extractor, graph)
        if int8:
            _quantize(graph)
    return Path(output_dir)


def _write_code(folder: Path) -> None:
    shutil.copytree(RUNNER, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name in IMPORTED_BY_RUNNER:
        shutil.copy(Path(__file__).parents[1] / name, folder / "sed_onnx")


def _shortest(model: SEDForAudioFrameClassification, feature_extractor: Any) -> int:
    """Samples that the graph takes, at least; recordings that are shorter by a bit are padded with zeros."""
    if isinstance(feature_extractor, WhisperFeatureExtractor):
        return feature_extractor.n_fft // 2 + 1
    return model.config.geometry.receptive_field


def _write_config(path: Path, model: SEDForAudioFrameClassification, shortest: int) -> None:
    config = model.config
    settings = {
        "labels": config.labels,
        "neutral_label": config.neutral_label,
        "decoder": config.decoder,
        "temperature": config.posterior_temperature,
        "window": config.encoder_family.window,
        "context": CONTEXT,
        "geometry": asdict(config.geometry),
        "shortest": shortest,
    }
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _write_graph(model: SEDForAudioFrameClassification, feature_extractor: Any, path: Path) -> None:
    rate = model.config.sampling_rate
    longest = math.ceil(model.config.encoder_family.window * rate)
    one_second = torch.randn(1, rate)
    samples = torch.export.Dim("samples", min=_shortest(model, feature_extractor), max=longest)
    with torch.no_grad():
        torch.onnx.export(
            PosteriorsOfRawAudio(model, feature_extractor, longest).eval(),
            (one_second,),
            path,
            input_names=["input_values"],
            output_names=["posteriors"],
            dynamic_shapes={"input_values": {1: samples}},
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _quantize(graph: Path) -> None:
    model = onnx.load(graph)
    add_pre_process_metadata(model)  # the exporter has folded constants and inferred shapes
    shapes = {weight.name: weight.dims for weight in model.graph.initializer}
    large = [
        node.name
        for node in model.graph.node
        if node.op_type == "MatMul" and min(shapes.get(node.input[1], [0])) >= SMALLEST_QUANTIZED
    ]
    quantize_dynamic(
        model, graph, nodes_to_quantize=large, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
    )
    quantized = onnx.load(graph)
    _quantize_before_copying(quantized.graph)
    onnx.save(quantized, graph)


def _quantize_before_copying(graph: onnx.GraphProto) -> None:
    """Quantises the input of convolutions before it is sliced and concatenated: the same result, with fewer bytes."""
    makers = {output: node for node in graph.node for output in node.output}
    for rounding in [node for node in graph.node if node.op_type == "DynamicQuantizeLinear"]:
        side_by_side = makers.get(rounding.input[0])
        if side_by_side is None or side_by_side.op_type != "Concat":
            continue
        slices = [makers[name] for name in side_by_side.input]
        whole, copied = f"{rounding.output[0]}_whole", rounding.output[0]
        rounding.input[0], rounding.output[0] = slices[0].input[0], whole
        for part in slices:
            part.input[0] = whole
        side_by_side.output[0] = copied
        graph.node.remove(rounding)
        graph.node.insert(list(graph.node).index(slices[0]), rounding)
    del graph.value_info[:]  # holds the former types of what are bytes now
