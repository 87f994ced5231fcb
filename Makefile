# `make demo` and `make test` set everything up in .venv and run. They need Python >= 3.10 with pip and venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Without an NVIDIA GPU, PyTorch's own index has the build that does not bring gigabytes of CUDA along.
TORCH ?= torch==2.13.0
TORCH_INDEX := $(if $(shell command -v nvidia-smi),,--extra-index-url https://download.pytorch.org/whl/cpu)

.PHONY: demo test lint format clean

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
