"""Models as ONNX graphs, in fp32 or with 8 bit integers, with the code that runs them without torch.

The folder holds ``model.onnx`` (``input_values (1, samples)`` raw audio -> ``posteriors (1, frames, labels)``),
``config.json`` and what [`~modeling_sed.onnx_inference.OnnxDiarizer`] needs, as it is in this package.

8 bits: the large matrix products, weights with one scale for each output, inputs with a scale that is found as it runs
(dynamic quantisation). Weights use 7 of the 8 bits: processors without VNNI add two products in 16 bits, and would
saturate. Attention itself, normalisations and the classifier stay fp32.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from transformers import AutoFeatureExtractor
from transformers.dynamic_module_utils import get_relative_import_files

from . import onnx_inference
from .exportable import PosteriorsOfRawAudio
from .modeling_sed import SEDForAudioFrameClassification
from .pipeline_sed import CONTEXT, WINDOW

OPSET = 23  # the first with attention as one operator
SMALLEST_QUANTIZED = 16  # rows and columns of a weight: classifiers and gates are smaller

LAUNCHER = '''"""Which emotion when? `python diarize_onnx.py call.wav`, or `from diarize_onnx import diarize`."""

from pathlib import Path

from sed_onnx.onnx_inference import OnnxDiarizer, main

diarize = OnnxDiarizer(Path(__file__).parent)

if __name__ == "__main__":
    main(diarize)
'''


def export_onnx(model: str | Path, output_dir: str | Path, int8: bool = False) -> Path:
    """Writes a trained model as a folder that ONNX Runtime runs without torch; all of it or nothing.

    Args:
        model: folder or hub id.
        output_dir: a new folder.
        int8: quantise: a quarter of the size, and faster on CPUs.

    Returns:
        The folder.

    Raises:
        OSError: if the model cannot be had, or the folder exists.
        ValueError: if it is not a model of this package, or averages frames.
    """
    output_dir = Path(output_dir)
    if output_dir.exists():
        raise FileExistsError(f"{output_dir} exists already; choose a new folder.")
    trained = SEDForAudioFrameClassification.from_pretrained(model, dtype=torch.float32).eval()
    if trained.config.pooling_kernel > 1 or trained.config.pooling_stride > 1:
        raise ValueError(f"{model} averages frames (pooling_kernel, pooling_stride), which cannot be exported.")
    feature_extractor = AutoFeatureExtractor.from_pretrained(model)
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output_dir.parent, prefix=f".{output_dir.name}") as work:
        folder = Path(work) / "model"
        folder.mkdir()
        _write_code(folder)
        _write_config(folder / "config.json", trained)
        graph = folder / "model.onnx"
        _write_graph(PosteriorsOfRawAudio(trained, bool(feature_extractor.do_normalize)), Path(work) / "float.onnx")
        if int8:
            _quantize(Path(work) / "float.onnx", graph)
        else:
            (Path(work) / "float.onnx").rename(graph)
        folder.rename(output_dir)
    return output_dir


def _write_code(folder: Path) -> None:
    package = folder / "sed_onnx"
    package.mkdir()
    (package / "__init__.py").touch()
    for file in [onnx_inference.__file__, *get_relative_import_files(onnx_inference.__file__)]:
        shutil.copy(file, package)
    (folder / "diarize_onnx.py").write_text(LAUNCHER, encoding="utf-8")


def _write_config(path: Path, model: SEDForAudioFrameClassification) -> None:
    config = model.config
    settings = {
        "labels": config.labels,
        "neutral_label": config.neutral_label,
        "decoder": config.decoder,
        "temperature": config.posterior_temperature,
        "window": WINDOW,
        "context": CONTEXT,
        "geometry": asdict(config.geometry),
    }
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _write_graph(model: PosteriorsOfRawAudio, path: Path) -> None:
    geometry = model.model.config.geometry
    one_second = torch.randn(1, geometry.sampling_rate)
    samples = torch.export.Dim("samples", min=geometry.receptive_field)
    with torch.no_grad():
        torch.onnx.export(
            model.eval(),
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


def _quantize(source: Path, target: Path) -> None:
    model = onnx.load(source)
    add_pre_process_metadata(model)  # the exporter has folded constants and inferred shapes
    shapes = {weight.name: weight.dims for weight in model.graph.initializer}
    large = [
        node.name
        for node in model.graph.node
        if node.op_type == "MatMul" and min(shapes.get(node.input[1], [0])) >= SMALLEST_QUANTIZED
    ]
    quantize_dynamic(
        model, target, nodes_to_quantize=large, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
    )
    quantized = onnx.load(target)
    _quantize_before_copying(quantized.graph)
    onnx.save(quantized, target)


def _quantize_before_copying(graph: onnx.GraphProto) -> None:
    """Lets convolutions lay bytes side by side instead of floats: slices, concatenation and rounding commute."""
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
    del graph.value_info[:]  # the types of what has become bytes
