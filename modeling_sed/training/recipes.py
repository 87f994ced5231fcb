"""Named sets of defaults of train_sed.py; docs/recipe.md says why each value is what it is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "paper": {},  # the defaults of `TrainingOptions`
        "improved": {
            "use_weighted_layer_sum": True,
            "normalize_encoder_output": False,
            "classifier_bias": True,
            "freeze_feature_encoder": False,
            "num_train_epochs": 3,
            "max_batch_seconds": 40.0,
            "encoder_learning_rate": 1e-4,
            "head_learning_rate": 1e-3,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 100,
            "layer_learning_rate_decay": 0.9,
            "weight_decay": 0.01,
            "max_grad_norm": 1.0,
            "average_weights": 0.995,
            "label_smoothing_factor": 0.05,
            "soft_joins": 0.1,
            "mask_time_prob": 0.1,
            "mask_feature_prob": 0.1,
            "augment_speed": 0.2,
            "augment_conditions": 0.15,
            "augment_non_speech": 0.15,
        },
    }
)
