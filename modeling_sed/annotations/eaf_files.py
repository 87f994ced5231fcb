"""EAF, the files of ELAN (format 2.6 to 3.0 of the Max Planck Institute for Psycholinguistics)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

from ..frames_sed import InputError
from .annotation import Annotation, at_most_one, check_disjoint, utterance_name
from .text_files import Target, opened, read_text
from .tiers import EMOTION_TIER, choose_tier
from .values import number_of_text, segment

TIER_TYPE = "default-lt"
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def read_eaf(path: Path, tier: str | None = None) -> Iterator[Annotation]:
    """The only time-aligned tier, or the one called ``tier`` (default: ``emotion``); empty annotations are neutral.

    The utterance has the file's name.

    Raises:
        InputError: for a file that is not an EAF file, declares a document type (and with it entities), or does not
            have the tier.
    """
    root = _parse(path)
    header = root.find("HEADER")
    units = "milliseconds" if header is None else header.get("TIME_UNITS", "milliseconds")
    if units != "milliseconds":
        raise InputError(f"{path}: its times are {units}; only milliseconds are read. Save it with a current ELAN.")
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    aligned = {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE") if _is_aligned(kind)}
    tiers = [item for item in root.iter("TIER") if item.get("LINGUISTIC_TYPE_REF") in aligned]
    chosen = tiers[choose_tier([item.get("TIER_ID", "") for item in tiers], tier, path)]
    segments = []
    for item in chosen.iter("ALIGNABLE_ANNOTATION"):
        where = f"{path}, annotation {item.get('ANNOTATION_ID')}"
        start, end = (
            number_of_text(slots.get(item.get(key)) or "", "a time in milliseconds", where) / 1000
            for key in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")
        )
        label = item.findtext("ANNOTATION_VALUE") or ""
        if label.strip():
            segments.append(segment(start, end, label, where))
    yield Annotation(utterance_name(path.stem), segments)


def _is_aligned(kind: ElementTree.Element) -> bool:
    return kind.get("TIME_ALIGNABLE", "true") == "true"


def _parse(path: Path) -> ElementTree.Element:
    text = read_text(path)
    if "<!DOCTYPE" in text:  # entities can expand without end, or name other files
        raise InputError(f"{path} declares a document type, which EAF files do not.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is not an EAF file: {error}.") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise InputError(f"{path} is not an EAF file: it is a document {root.tag!r}.")
    return root


def write_eaf(annotations: Iterable[Annotation], target: Target) -> None:
    """Writes a tier ``emotion``, times to a millisecond; duration, scores and speakers have no place in it.

    Raises:
        InputError: for several recordings, segments that overlap or are shorter than a millisecond, a label with
            characters that XML cannot hold, or a file that cannot be written.
    """
    found = at_most_one(annotations, "EAF")
    with opened(target) as file:
        for annotation in found:
            document = _document(annotation)
            ElementTree.indent(document)
            text = ElementTree.tostring(document, encoding="unicode")
            try:
                ElementTree.fromstring(text)
            except ElementTree.ParseError as error:
                raise InputError(
                    f"{annotation.name}: a label has characters that XML cannot hold ({error})."
                ) from error
            print('<?xml version="1.0" encoding="UTF-8"?>', text, sep="\n", file=file)


def _document(annotation: Annotation) -> ElementTree.Element:
    rounded = [{**item, **{key: round(item[key], 3) for key in ("start", "end")}} for item in annotation.segments]
    segments = check_disjoint(Annotation(annotation.name, rounded), "EAF")
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    attributes = {"AUTHOR": "", "DATE": now, "FORMAT": "3.0", "VERSION": "3.0"}
    attributes |= {"xmlns:xsi": SCHEMA_INSTANCE, "xsi:noNamespaceSchemaLocation": SCHEMA}
    root = ElementTree.Element("ANNOTATION_DOCUMENT", attributes)
    ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    times = ElementTree.SubElement(root, "TIME_ORDER")
    tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=TIER_TYPE, TIER_ID=EMOTION_TIER)
    for number, item in enumerate(segments, start=1):
        slots = {f"TIME_SLOT_REF{side}": f"ts{2 * number + side - 2}" for side in (1, 2)}
        for slot, key in zip(slots.values(), ("start", "end"), strict=True):
            ElementTree.SubElement(times, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(round(1000 * item[key])))
        entry = ElementTree.SubElement(tier, "ANNOTATION")
        entry = ElementTree.SubElement(entry, "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{number}", **slots)
        ElementTree.SubElement(entry, "ANNOTATION_VALUE").text = item["label"]
    attributes = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": TIER_TYPE, "TIME_ALIGNABLE": "true"}
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", attributes)
    return root
