"""Options of training by name: ``--config wavlm-large`` is wavlm_large.yaml of this folder.

In a wheel it is `modeling_sed.configs`.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
OF_ACCELERATE = "accelerate_"  # files that begin so are for `accelerate launch --config_file`


def find_config(name: str, suffix: str) -> Path | None:
    """The file of a name; None if there is none.

    Args:
        name: with dashes or underscores, with or without the suffix: "wavlm-large", "wavlm_large.yaml".
        suffix: of the file: ".yaml" for options of training, ".json" for the configuration of an encoder.
    """
    wanted = name.removesuffix(suffix).replace("_", "-")
    return FOLDER / f"{wanted.replace('-', '_')}{suffix}" if wanted in config_names(suffix) else None


def config_names(suffix: str) -> list[str]:
    """All names of files with a suffix, with dashes."""
    stems = (path.stem for path in FOLDER.glob(f"*{suffix}") if not path.stem.startswith(OF_ACCELERATE))
    return sorted(stem.replace("_", "-") for stem in stems)
