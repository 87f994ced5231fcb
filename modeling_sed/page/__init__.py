"""A page in the browser: drop or record a recording, see and hear its timeline (needs the extra `app`: gradio).

`emotion-diarization app` shows it on this machine, a Space to everybody. What is drawn, what can be downloaded and what
a comparison says are functions without gradio.
"""
