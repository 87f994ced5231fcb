"""`python -m modeling_sed` is the console command `emotion-diarization`."""

from modeling_sed.cli.app import main

main()
