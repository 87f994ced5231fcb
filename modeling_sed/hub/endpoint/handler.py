"""Which emotion appears when? For Inference Endpoints, which call this beside the model; its code comes with it.

A request is a recording (any audio file, sent with its content type), or JSON: ``inputs`` is the address of a
recording, or a file in base64, and ``parameters`` are those of the pipeline, such as ``{"return_scores": true}``.
"""

import base64
import binascii
from typing import Any

from transformers import pipeline


class EndpointHandler:
    """Answers requests.

    Args:
        path: folder of the model.
    """

    def __init__(self, path: str = ""):
        self.pipeline = pipeline("speech-emotion-diarization", model=path, trust_remote_code=True)

    def __call__(self, data: dict[str, Any]) -> Any:
        """The emotions of a recording.

        Args:
            data: ``inputs``: the bytes of an audio file, these in base64, or an http(s) address; ``parameters``, if
                any: of the pipeline.

        Returns:
            Segments that tile the recording: start and end in seconds, label, and score. With ``return_scores``, these
            as "segments", and "posteriors" (frames x labels) with "frame_times" (their borders in seconds).

        Raises:
            ValueError: if there is no recording that can be used, or no such parameter.
        """
        found = self.pipeline(recording_of(data.get("inputs")), **(data.get("parameters") or {}))
        if not isinstance(found, dict):
            return list(found)
        scores = {name: found[name].tolist() for name in ("posteriors", "frame_times")}
        return {"segments": list(found["segments"]), **scores}


def recording_of(inputs: Any) -> "bytes | str":
    """What the pipeline reads: never a file of this machine."""
    if isinstance(inputs, bytes | bytearray):
        return bytes(inputs)
    if isinstance(inputs, str) and inputs.startswith(("https://", "http://")):
        return inputs
    try:
        return base64.b64decode(inputs, validate=True)
    except (TypeError, binascii.Error, ValueError) as error:
        raise ValueError("inputs: neither the bytes of an audio file, nor these in base64, nor an address.") from error
