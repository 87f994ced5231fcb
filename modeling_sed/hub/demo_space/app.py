"""Which emotion appears when? The page of `emotion-diarization app`, for MODEL; its source is in modeling_sed/page."""

from transformers import pipeline

import modeling_sed
from modeling_sed.page.uploads import uploads_folder

with uploads_folder():
    from modeling_sed.page.app import build_page, launch_page

    page = build_page(pipeline(modeling_sed.TASK, model="MODEL"), "MODEL")
    launch_page(page)
    page.block_thread()
