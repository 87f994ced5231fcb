"""The emotions of an archive, on a Ray cluster: a table of recordings in, Parquet with a row for each segment out.

    pip install 'speech-emotion-diarization[ray]'
    python archive_with_ray.py recordings.csv s3://bucket/emotions --workers 64 --gpus 1 --dtype bfloat16

The table, CSV or Parquet, has the column `recording`: paths that all machines see, or addresses (https://, s3://, gs://,
hf://). Run it again after a failure, or with a longer table: what is done is not done again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ray
from ray.data.checkpoint import CheckpointConfig

from modeling_sed.archive.table_diarizer import TableDiarizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("recordings")
parser.add_argument("output", help="folder, or address of one")
parser.add_argument("--model", help="folder that all machines see, or hub id")
parser.add_argument("--dtype", help="bfloat16 on GPUs")
parser.add_argument("--workers", type=int, default=1, help="actors with the model, at most")
parser.add_argument("--gpus", type=float, default=0, help="of an actor; 0.5 to share one")
parser.add_argument("--batch", type=int, default=64, help="recordings of a task, which is what a failure repeats")
arguments = parser.parse_args()

given, output = (  # other machines have another working directory
    name if "://" in name else str(Path(name).absolute()) for name in (arguments.recordings, arguments.output)
)
context = ray.data.DataContext.get_current()
context.target_max_block_size = None  # all rows of a recording in one block, whose recordings then count as done
context.checkpoint_config = CheckpointConfig("recording", f"{output}.checkpoint", delete_checkpoint_on_success=False)
read = ray.data.read_parquet if given.endswith(".parquet") else ray.data.read_csv
(
    read(given)
    .repartition(target_num_rows_per_block=arguments.batch)
    .map_batches(
        TableDiarizer,
        fn_constructor_kwargs={"model": arguments.model, "dtype": arguments.dtype},
        batch_format="pyarrow",
        batch_size=arguments.batch,
        num_gpus=arguments.gpus or None,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=arguments.workers),
    )
    .write_parquet(output)
)
