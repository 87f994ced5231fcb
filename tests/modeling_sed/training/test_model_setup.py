"""What learns: everything but the convolutions, the last layers, or low-rank adapters, which are merged on export."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft.tuners.lora import LoraLayer
from transformers import Wav2Vec2Config, Wav2Vec2ForSequenceClassification

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.model_setup import add_adapters, build_model, parameter_groups, with_weights
from tests.conftest import SMALL_ENCODER, SMALL_FEATURE_ENCODERS, small_model
from tests.local_hub import LocalHub
from tests.modeling_sed.training.conftest import encoder_file


def build(options: TrainingOptions, **changes: object):
    torch.manual_seed(0)
    return build_model(replace(options, **changes))[0]


def learning(model: torch.nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_frozen_convolutions_keep_no_graph(options: TrainingOptions):
    model = build(options, freeze_feature_encoder=True).train()
    assert not [name for name in learning(model) if "feature_extractor" in name]
    assert not model.encoder.feature_extractor(torch.randn(2, 4000)).requires_grad
    assert build(options).encoder.feature_extractor(torch.randn(2, 4000)).requires_grad  # from scratch they learn


def test_parameter_groups_hold_every_parameter_that_learns_once(options: TrainingOptions):
    model = build(options)
    encoder, head = parameter_groups(model, options)
    assert [parameter.shape for parameter in head["params"]] == [(4, 32)]
    assert (encoder["lr"], head["lr"]) == (1e-5, 1e-4)
    assert (encoder["annealing_factor"], head["annealing_factor"]) == (0.9, 0.8)
    ids = [id(parameter) for group in (encoder, head) for parameter in group["params"]]
    assert sorted(ids) == sorted(id(parameter) for parameter in model.parameters() if parameter.requires_grad)


def test_only_the_last_layers_learn(options: TrainingOptions):
    names = learning(build(options, train_last_layers=1))
    assert names and all(name.startswith(("encoder.encoder.layers.1.", "classifier")) for name in names)


def loss_of(model: torch.nn.Module) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    waves = torch.randn(2, 8000, generator=generator)
    return model(waves, labels=torch.randint(4, (2, 24), generator=generator)).loss


def test_gradient_checkpointing_changes_no_gradient(options: TrainingOptions):
    gradients = []
    for checkpointing in (False, True):
        model = build(options, gradient_checkpointing=checkpointing).train()
        assert model.encoder.is_gradient_checkpointing == checkpointing
        loss_of(model).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)


def test_adapters_learn_and_are_merged_on_export(options: TrainingOptions):
    model = build(options, lora_rank=3, lora_alpha=6)
    names = learning(model)
    assert all(".lora_" in name or name.startswith("classifier") for name in names)
    assert sum("lora_A" in name for name in names) == 2 * 2  # layers x linear layers of the feed-forward part
    optimizer = torch.optim.Adam(parameter_groups(model, options))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    changed = {name for name, parameter in model.named_parameters() if not parameter.equal(before[name])}
    assert changed == names

    weights = model.state_dict()
    plain = with_weights(model.config, weights, lora_scaling=6 / 3).eval()
    assert not [module for module in plain.modules() if isinstance(module, LoraLayer)]
    waves = torch.randn(1, 8000)
    with torch.no_grad():
        torch.testing.assert_close(plain(waves).logits, model.eval()(waves).logits, atol=1e-5, rtol=1e-5)
    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):  # peft's own merging says the same
            module.merge()
            torch.testing.assert_close(plain.get_submodule(name).weight, module.get_base_layer().weight)


def test_what_is_not_merged_is_not_copied(options: TrainingOptions):
    model = build(options)
    plain = with_weights(model.config, model.state_dict(), lora_scaling=1.0)
    shared = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert {tensor.data_ptr() for tensor in plain.state_dict().values()} <= shared


def test_adapters_in_attention_learn(options: TrainingOptions):
    model = build(options, lora_rank=2, lora_target_modules=["q_proj", "v_proj"])
    loss_of(model.train()).backward()
    down = {name: p.grad for name, p in model.named_parameters() if ".lora_B." in name}
    assert len(down) == 2 * 2 and all(gradient.abs().max() > 0 for gradient in down.values())


def test_adapters_that_would_change_nothing_are_refused(options: TrainingOptions):
    model = build(options)
    model.set_attn_implementation("eager")  # transformers' own reads the weights of the projections
    with pytest.raises(ValueError, match="reads the weights of out_proj without calling these layers"):
        add_adapters(model, rank=2, alpha=4, target_modules=["intermediate_dense", "out_proj"])


def test_the_form_of_an_existing_head_cannot_be_chosen(options: TrainingOptions, tmp_path: Path):
    config = Wav2Vec2Config(**SMALL_ENCODER, id2label={0: "neu", 1: "hap"}, use_weighted_layer_sum=True)
    Wav2Vec2ForSequenceClassification(config).save_pretrained(tmp_path)
    existing = {"encoder": str(tmp_path), "initialize_head": True}
    model = build(options, **existing, use_weighted_layer_sum=True, normalize_encoder_output=False)
    assert model.config.use_weighted_layer_sum and not model.config.normalize_encoder_output
    for name, value in (("use_weighted_layer_sum", False), ("normalize_encoder_output", True)):
        with pytest.raises(ValueError, match=f"has {name} {not value}, so that {name} {value} is not possible"):
            build(options, **existing, **{name: value})


BUILD = """
import sys
from modeling_sed import InputError
from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.model_setup import build_model
try:
    options = TrainingOptions(dataset="data", encoder=sys.argv[1], output_dir="run")
    print("normalises:", build_model(options)[1].do_normalize)
except InputError as error:
    print("refused:", error)
"""


def test_an_unreachable_hub_is_not_taken_for_a_missing_feature_extractor(model_folder: Path, tmp_path: Path):
    """Otherwise a network failure would train with another normalisation."""
    small_model("wavlm").encoder.save_pretrained(tmp_path / "encoder")
    encoder = {path.name: path.read_bytes() for path in (tmp_path / "encoder").iterdir()}
    own = (
        (model_folder / "preprocessor_config.json").read_text().replace('"do_normalize": true', '"do_normalize": false')
    )
    with LocalHub() as hub:
        hub.repositories["models/some/without"] = encoder
        hub.repositories["models/some/with"] = hub.repositories["models/some/broken"] = encoder | {
            "preprocessor_config.json": own.encode()
        }
        hub.server.broken.add("models/some/broken/preprocessor_config.json")
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
        found = {
            name: subprocess.run(
                [sys.executable, "-c", BUILD, f"some/{name}"],
                capture_output=True,
                text=True,
                env=environment,
                check=True,
            ).stdout
            for name in ("without", "with", "broken")
        }
    assert found["without"] == "normalises: True\n" and found["with"] == "normalises: False\n"
    assert found["broken"].startswith("refused: Cannot load the encoder some/broken: ")


def test_lower_layers_learn_more_slowly(options: TrainingOptions):
    model = build(options, layer_learning_rate_decay=0.5)
    decayed = replace(options, layer_learning_rate_decay=0.5, encoder_learning_rate=8.0)
    *encoder, head = parameter_groups(model, decayed)
    assert [group["lr"] for group in encoder] == [8.0, 4.0, 2.0] and head["lr"] == decayed.head_learning_rate
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = [{names[id(parameter)] for parameter in group["params"]} for group in encoder]
    assert all(name.startswith("encoder.encoder.layers.1.") for name in found[0])
    assert all(name.startswith("encoder.encoder.layers.0.") for name in found[1])
    assert set().union(*found) == {name for name in learning(model) if name.startswith("encoder.")}
    assert sum(map(len, found)) == len(set().union(*found))
    few = parameter_groups(build(options, train_last_layers=1), decayed)
    assert [group["lr"] for group in few] == [8.0, decayed.head_learning_rate]  # no empty groups


@pytest.mark.parametrize("family", SMALL_FEATURE_ENCODERS)
def test_other_families_are_set_up_alike(options: TrainingOptions, family: str, tmp_path: Path):
    encoder = encoder_file(tmp_path, SMALL_FEATURE_ENCODERS[family])
    adapted = build(options, encoder=str(encoder), lora_rank=3)
    assert sum("lora_A" in name for name in learning(adapted)) == 2 * {"whisper": 2, "wav2vec2-bert": 4}[family]
    frozen = build(options, encoder=str(encoder), freeze_feature_encoder=True)
    below = ("encoder.conv", "encoder.feature_projection", "encoder.embed_positions")
    whole = learning(build(options, encoder=str(encoder)))
    assert learning(frozen) == {name for name in whole if not name.startswith(below)} != whole
    last = build(options, encoder=str(encoder), train_last_layers=1)
    assert {name.split(".layers.")[1][0] for name in learning(last) if ".layers." in name} == {"1"}
    assert {name.split(".")[0] for name in learning(last)} == {"encoder", "classifier"}


def test_layers_of_a_new_encoder_are_not_cut_off(options: TrainingOptions):
    with pytest.raises(ValueError, match=r"--encoder-layers: .*tiny\.json says itself how many layers there are"):
        build(options, encoder_layers=1)
