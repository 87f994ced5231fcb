"""`python -m modeling_sed` is the console command `emotion-diarization`."""

from modeling_sed.cli import main

main()
