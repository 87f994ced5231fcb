"""Which emotion appears when? `python diarize_onnx.py call.wav`, or `from diarize_onnx import diarize`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sed_onnx.frames_sed import InputError
from sed_onnx.onnx_diarizer import OnnxDiarizer

diarize = OnnxDiarizer(Path(__file__).parent)


def main() -> None:
    """Prints the segments of the recordings on the command line as JSON; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(description="Print the emotion segments of recordings as JSON.")
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDING")
    results, failed = [], False
    for file in parser.parse_args().files:
        try:
            segments = diarize(file)
            results.append({"name": str(file), "duration": segments[-1]["end"], "segments": segments})
        except InputError as error:  # noqa: PERF203 - the others go on
            failed = True
            print(f"error: {error}", file=sys.stderr)
    print(json.dumps(results, indent=2))
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
