# `make demo` and `make test` set everything up in .venv and run. They need Python >= 3.10 with pip and venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Without an NVIDIA GPU, PyTorch's own index has the build that does not bring gigabytes of CUDA along.
TORCH ?= torch==2.13.0
TORCH_INDEX := $(if $(shell command -v nvidia-smi),,--extra-index-url https://download.pytorch.org/whl/cpu)

.PHONY: demo bundled-model test lint format clean

$(VENV)/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --no-deps $(TORCH) $(TORCH_INDEX)
	$(BIN)/pip install --quiet --editable ".[test]"
	touch $@

demo: $(VENV)/installed
	$(BIN)/python dataset_scripts/speech_synthesis.py demo/corpus --seed 0 --overwrite
	$(BIN)/python dataset_scripts/sed.py benchmark --corpora synthetic=demo/corpus --split-by speaker --seed 1 --output-dir demo/data --overwrite
	$(BIN)/emotion-diarization diarize --dataset demo/data --limit 1
	$(MAKE) demo/results.json
	$(BIN)/emotion-diarization diarize --model demo/model --dataset demo/data --limit 1 --plot demo/timeline.png

demo/results.json: demo/data/sed_dataset.json configs/laptop.yaml configs/wavlm_tiny.json
	$(BIN)/python train_sed.py --config configs/laptop.yaml --dataset demo/data --output-dir demo/model --overwrite
	cp demo/model/results.json $@

# The model that comes with the package, from real corpora and a pretrained encoder: an hour or two on two cores.
#   make bundled-model RAVDESS=DIR NEMO=DIR EMOTION_TTS_KO=DIR [ENCODER=openai/whisper-base]
ENCODER ?= openai/whisper-base
bundled-model: $(VENV)/installed
	$(BIN)/python dataset_scripts/sed.py benchmark --corpora ravdess=$(RAVDESS) nemo=$(NEMO) emotion_tts_ko=$(EMOTION_TTS_KO) \
		--split-by speaker --seed 0 --validation-fraction 0.1 --test-fraction 0.04 \
		--events 3 --pause-mean 0.1 --pause-deviation 0.3 --crossfade 0.03 --output-dir bundled/data
	$(BIN)/python train_sed.py --config configs/bundled_model.yaml --encoder $(ENCODER) --dataset bundled/data \
		--output-dir bundled/run --resume
	$(BIN)/python -m modeling_sed.hub.bundling bundled/run

# A process for each core, with one thread each, as the tests' models are small.
test: $(VENV)/installed lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --dist loadfile

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo
