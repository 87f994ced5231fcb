"""train_sed.py with FSDP on CPU processes: Accelerate shards on GPUs only, so it is told that these are some."""

from accelerate import PartialState
from accelerate.utils import DistributedType

PartialState(cpu=True).distributed_type = DistributedType.MULTI_GPU

import train_sed  # noqa: E402

train_sed.main()
