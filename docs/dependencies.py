"""Writes dependencies.md: everything that an installation brings along, and its licence, as its metadata says.

Run by `make dependencies`.
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "speech-emotion-diarization"
PAGE = Path(__file__).with_suffix(".md")
LONGEST = 40  # characters; more is the licence's text, not its name
HEAD = """# Dependencies and their licences

Made by `make dependencies` from the metadata of the packages of `constraints/ci.txt`, on Linux. A package is listed
once, where it comes first. The package itself is Apache-2.0, and a plain installation has no dependency that is GPL as
a whole; what metadata does not tell:

- **av** (PyAV) is BSD-3-Clause; its wheels carry FFmpeg, which reports "LGPL version 3 or later", and beside it, for
  *encoding* video, libx264 and libx265 (GPL-2.0-or-later). This package only decodes audio. Who passes wheels of PyAV
  on must keep to these licences.
- **soundfile** is BSD-3-Clause; its wheels carry libsndfile (LGPL-2.1-or-later). **soxr** is LGPL-2.1-or-later.
- **praat-parselmouth** (extra `synthesis`), with Praat and eSpeak NG, is GPL-3.0-or-later: an extra for that reason,
  and never imported by the model, the command line or the training.
- PyTorch's builds for NVIDIA GPUs bring CUDA's libraries, under NVIDIA's own licence; the builds for CPUs do not.
- The model in the box has a licence of its own, from its data: see [its card](../modeling_sed/bundled_model/README.md).
"""


def main() -> None:
    """Writes the page."""
    seen = {(PROJECT, "")}  # extras name others of the package
    parts = {"A plain installation": ""}
    parts |= {f"Extra `{extra}`": extra for extra in distribution(PROJECT).metadata.get_all("Provides-Extra") or []}
    brought = {title: _brought(PROJECT, extra, seen) for title, extra in parts.items()}
    sections = [HEAD, *(_section(title, rows) for title, rows in brought.items() if rows)]
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def _section(title: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {name} | {licence} |" for name, licence in sorted(rows)]
    return "\n".join([f"## {title}", "", "| package | licence |", "| --- | --- |", *lines, ""])


def _brought(requiring: str, extra: str, seen: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name and licence of what a package requires, of what that requires, and so on, where not ``seen`` before."""
    found = []
    for requirement in map(Requirement, distribution(requiring).requires or []):
        name, marker = canonicalize_name(requirement.name), requirement.marker
        if marker and not marker.evaluate({"extra": extra}):
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            if requiring == PROJECT:
                raise
            continue  # what PyTorch's build for CPUs goes without
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                found += [] if wanted else [(name, licence(package))]
                seen.add((name, wanted))
                found += _brought(name, wanted, seen)
    return found


def licence(package: Distribution) -> str:
    """The SPDX expression of a package, or else what its metadata calls its licence."""
    fields = package.metadata
    if expression := fields.get("License-Expression"):
        return expression
    name = (fields.get("License") or "").strip()
    if name and len(name) <= LONGEST:
        return name
    classifiers = [entry.split(" :: ")[-1] for entry in fields.get_all("Classifier") or [] if "License ::" in entry]
    if classifiers:
        return ", ".join(classifiers)
    texts = [str(file.locate()) for file in package.files or [] if file.name.upper().startswith("LICENSE")]
    is_mit = any("Permission is hereby granted, free of charge" in Path(text).read_text("utf-8") for text in texts)
    return "MIT" if is_mit else "not named"


if __name__ == "__main__":
    main()
