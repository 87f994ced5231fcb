"""Makes the model and the pipeline known to transformers, without importing transformers.

transformers has no entry points for models or pipelines, but registries of configurations, of models and of pipelines.
The configuration is registered when the module of its registry has been imported, and so is the pipeline. The model
follows when a configuration is read: transformers looks for the model's class only after that, and importing the model
earlier, in the middle of transformers' own imports, would fail. Classes of this package that a program imports itself
are registered at that time.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from wrapt import register_post_import_hook

from .bundled_model import BUNDLED_MODEL

PACKAGE = __name__.partition(".")[0]


def register_with_transformers() -> None:
    """Registers now what belongs to modules that are imported already, and the rest when its module is imported."""
    for name, register in (
        ("configuration_sed", _register_configuration),
        ("modeling_sed", _register_model),
        ("pipeline_sed", _register_pipeline),
    ):
        register_post_import_hook(register, f"{PACKAGE}.{name}")
    for registry, name in (
        ("transformers.models.auto.configuration_auto", "configuration_sed"),
        ("transformers.pipelines", "pipeline_sed"),
    ):
        register_post_import_hook(partial(_import_ours, name), registry)


def _import_ours(name: str, registry: ModuleType) -> None:
    """Called with the module of a registry, once that has been imported."""
    import_module(f"{PACKAGE}.{name}")


def _register_configuration(module: ModuleType) -> None:
    from transformers import AutoConfig

    AutoConfig.register(module.SEDConfig.model_type, module.SEDConfig)
    module.SEDConfig.import_model = staticmethod(lambda: import_module(f"{PACKAGE}.modeling_sed"))
    # what is saved from here on carries the code that loads it (`trust_remote_code=True`) where this package is missing
    module.SEDConfig.register_for_auto_class()


def _register_model(module: ModuleType) -> None:
    from transformers import AutoModel, AutoModelForAudioClassification, AutoModelForAudioFrameClassification

    from ..configuration_sed import SEDConfig

    model_class = module.SEDForAudioFrameClassification
    model_class.accelerate_encoder = staticmethod(_accelerate_encoder)
    AutoModel.register(SEDConfig, model_class)
    AutoModelForAudioFrameClassification.register(SEDConfig, model_class)
    AutoModelForAudioClassification.register(SEDConfig, module.SEDForAudioClassification)  # says why not
    model_class.register_for_auto_class("AutoModelForAudioFrameClassification")


def _accelerate_encoder(*arguments: Any) -> None:
    from ..fast_encoder import accelerate_encoder

    accelerate_encoder(*arguments)


def _register_pipeline(module: ModuleType) -> None:
    from transformers import AutoModelForAudioFrameClassification
    from transformers.pipelines import PIPELINE_REGISTRY

    task = "speech-emotion-diarization"
    PIPELINE_REGISTRY.register_pipeline(
        task,
        pipeline_class=module.SpeechEmotionDiarizationPipeline,
        pt_model=AutoModelForAudioFrameClassification,
        type="audio",
    )
    # added afterwards: what is registered is written into the configuration of saved pipelines
    default = {"model": (str(BUNDLED_MODEL), "main")}
    PIPELINE_REGISTRY.supported_tasks[task] = {**PIPELINE_REGISTRY.supported_tasks[task], "default": default}
