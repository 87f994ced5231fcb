# `make demo` and `make test` set everything up in .venv and run. They need Python >= 3.10 with pip and venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The versions that are installed; /dev/null: the newest ones.
CONSTRAINTS ?= constraints/ci.txt
# Without an NVIDIA GPU, PyTorch's own index has the build that does not bring gigabytes of CUDA along.
TORCH_INDEX := $(if $(shell command -v nvidia-smi),,--extra-index-url https://download.pytorch.org/whl/cpu)

.PHONY: demo bundled-model test fuzz test-oldest tests lint format constraints dependencies clean

$(VENV)/installed: setup.cfg pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --no-deps torch --constraint $(CONSTRAINTS) $(TORCH_INDEX)
	$(BIN)/pip install --quiet --editable ".[test]" --constraint $(CONSTRAINTS)
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

test: lint tests

# The oldest versions that setup.cfg admits, on the oldest Python.
test-oldest:
	$(MAKE) tests VENV=.venv-oldest CONSTRAINTS=constraints/oldest.txt PYTHON=python3.10

# A process for each core, with one thread each, as the tests' models are small.
tests: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --dist loadfile

# Broken inputs for every reader; led by the lines that they reach if `.venv/bin/pip install atheris` was done before.
SECONDS ?= 3600
fuzz: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --seconds $(SECONDS)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The newest versions of everything, to be committed when the tests pass on them.
constraints:
	$(MAKE) .venv-newest/installed VENV=.venv-newest CONSTRAINTS=/dev/null
	{ sed -n '/^#/p' constraints/ci.txt; .venv-newest/bin/pip freeze --all --exclude-editable | \
		sed '/^pip==/d; s/+cpu$$//'; } > constraints/ci.new
	mv constraints/ci.new constraints/ci.txt

# docs/dependencies.md: what an installation brings along, and its licences.
dependencies: $(VENV)/installed
	$(BIN)/pip install --quiet --editable ".[live]" --constraint $(CONSTRAINTS)
	$(BIN)/python docs/dependencies.py

clean:
	rm -rf $(VENV) .venv-oldest .venv-newest demo
