"""NewBob annealing: the learning rate shrinks after epochs with too little improvement (section 5.2 of the paper)."""

from __future__ import annotations

from torch.optim import Optimizer


class NewBob:
    """Anneals each parameter group of an optimiser by its own factor, as the authors' recipe does.

    After an epoch whose metric (lower is better) improved on the epoch before by less than ``improvement_threshold``,
    relatively, every group's learning rate is multiplied by the group's ``annealing_factor``.
    `torch.optim.lr_scheduler.ReduceLROnPlateau` is different: it compares with the best epoch and has one factor.

    Args:
        optimizer: its parameter groups have a key ``annealing_factor``.
        improvement_threshold: smallest relative improvement that counts.
    """

    def __init__(self, optimizer: Optimizer, improvement_threshold: float = 0.0025):
        self.optimizer = optimizer
        self.improvement_threshold = improvement_threshold
        self.previous_metric: float | None = None

    def step(self, metric: float) -> None:
        """Call once an epoch, with its validation metric."""
        previous, self.previous_metric = self.previous_metric, metric
        if previous is None:
            return
        improvement = (previous - metric) / previous if previous else 0.0
        if improvement < self.improvement_threshold:
            for group in self.optimizer.param_groups:
                group["lr"] *= group["annealing_factor"]

    def state_dict(self) -> dict:
        """For checkpoints; the learning rates themselves are in the optimiser's state."""
        return {"previous_metric": self.previous_metric}

    def load_state_dict(self, state: dict) -> None:
        """Restores what `state_dict` returned."""
        self.previous_metric = state["previous_metric"]
