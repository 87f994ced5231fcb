"""What learns: everything but the convolutions, the last layers, or low-rank adapters, which are merged on export."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from peft.tuners.lora import LoraLayer

from modeling_sed.training.arguments import TrainingOptions
from modeling_sed.training.model_setup import add_adapters, build_model, parameter_groups, with_weights


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
    plain = with_weights(model.config, model.state_dict())
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
