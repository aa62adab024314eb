# Jobs Sandbox for MicroPython: the front door. Every target is thin: it sets up once, then calls `jobs-sandbox`.
# Variables become flags: BOARD, PORT, CLOUD, ENDPOINT_URL, REGION, PROFILE, THING_NAME; ARGS adds any others.
# Works with GNU make 3.81, which macOS ships.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
CLI := $(BIN)/jobs-sandbox
VENV_READY := .venv/.ready
READY := build/.ready
export PYTHON MICROPYTHON
JOBS ?= 6

flag = $(if $($(1)),--$(2) '$($(1))')
BOARD_FLAGS = $(call flag,BOARD,board) $(call flag,PORT,port)
CLOUD_FLAGS = $(call flag,CLOUD,cloud) $(call flag,ENDPOINT_URL,endpoint-url) $(call flag,REGION,region) \
	$(call flag,PROFILE,profile)
THING_FLAG = $(call flag,THING_NAME,thing)
SANDBOX_FLAGS = $(call flag,ENDPOINT,endpoint) $(call flag,CERT,cert) $(call flag,KEY,key) $(call flag,CA,ca) \
	$(call flag,THING_NAME,thing-name) $(call flag,CLIENT_ID,client-id)

.PHONY: help
help: ## list the targets (this text)
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: BOARD=name | PORT=/dev/tty…, CLOUD=local|aws, ENDPOINT_URL=…, THING_NAME=…, ARGS='…'"

.PHONY: setup
setup: $(READY) ## make .venv with the locked packages (once; again when the lock changes)
	@echo "set up: . .venv/bin/activate && jobs-sandbox"

$(VENV_READY): requirements.lock requirements-build.lock host_tools/make_venv.sh
	@sh host_tools/make_venv.sh
	@touch $@

$(READY): $(VENV_READY) host_tools/setup_tools.py host_tools/esp32_stubs.py host_tools/umqtt_source.py
	@$(BIN)/python -m host_tools.setup_tools
	@touch $@

.PHONY: demo
demo: $(READY) ## show it all: cloud, virtual board, jobs made by the AWS CLI, pins
	@$(CLI) demo $(ARGS)

.PHONY: init
init: $(READY) ## write sandbox.toml: board, thing, Wi-Fi and cloud for all commands
	@$(CLI) init $(BOARD_FLAGS) $(THING_FLAG) $(CLOUD_FLAGS) $(ARGS)

.PHONY: sandbox
sandbox: $(READY) ## any IoT endpoint, no board: ENDPOINT= CERT= KEY= THING_NAME= [CLIENT_ID=] [CA=]
	@$(CLI) sandbox $(SANDBOX_FLAGS) $(ARGS)

.PHONY: cloud
cloud: $(READY) ## start the local IoT Core and show where it listens
	@$(CLI) cloud start $(ARGS)

.PHONY: board
board: $(READY) ## start the virtual board BOARD (default: sandbox)
	@$(CLI) board start $(BOARD) $(ARGS)

.PHONY: provision
provision: $(READY) ## make thing, key, certificate and policy: THING_NAME= [CLOUD=aws PROFILE= REGION=]
	@$(CLI) provision $(THING_NAME) $(CLOUD_FLAGS) $(ARGS)

.PHONY: flash
flash: $(READY) ## put MicroPython on a board on USB: [PORT=] [FIRMWARE=file.bin] [ARGS='--version newest']
	@$(CLI) flash $(call flag,PORT,port) $(call flag,FIRMWARE,firmware) $(ARGS)

.PHONY: deploy
deploy: $(READY) ## put firmware, configuration and credentials on the board: [BOARD= | PORT=] [THING_NAME=]
	@$(CLI) deploy $(BOARD_FLAGS) $(THING_FLAG) $(call flag,FIRMWARE,firmware) $(ARGS)

.PHONY: ports
ports: $(READY) ## show the boards on USB: chip, MAC, firmware, thing
	@$(CLI) ports $(ARGS)

.PHONY: identify
identify: $(READY) ## blink the board's LED: [BOARD= | PORT=]
	@$(CLI) identify $(BOARD_FLAGS) $(ARGS)

.PHONY: console
console: $(READY) ## talk to the board: [BOARD= | PORT=]
	@$(CLI) console $(BOARD_FLAGS) $(ARGS)

.PHONY: doctor
doctor: $(READY) ## check host, board and cloud: [BOARD= | PORT=] [THING_NAME=] [CLOUD=] [ARGS='--bundle report.zip']
	@$(CLI) doctor $(BOARD_FLAGS) $(THING_FLAG) $(CLOUD_FLAGS) $(ARGS)

.PHONY: stop
stop: $(READY) ## stop the virtual board BOARD and the local IoT Core
	@$(CLI) board stop $(BOARD)
	@$(CLI) cloud stop

.PHONY: test
test: $(READY) ## run every test (ARGS='-k name' for some of them)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

INPUTS ?= 1000000
.PHONY: fuzz
fuzz: $(READY) ## feed the firmware hostile input: [INPUTS=1000000]
	@$(BIN)/python -m tests.long.fuzz --inputs $(INPUTS) $(ARGS)

CUTS ?= 500
.PHONY: powercuts
powercuts: $(READY) ## cut the power at every flash write of a job, and CUTS=500 times at random
	@JOBS_SANDBOX_CUTS=$(CUTS) $(BIN)/pytest -m long -s tests/system/test_power_cuts.py $(ARGS)

MINUTES ?= 10
.PHONY: soak
soak: $(READY) ## run random jobs under random faults and judge each minute: [MINUTES=10]
	@JOBS_SANDBOX_MINUTES=$(MINUTES) $(BIN)/pytest -m long -s tests/system/test_storm.py -k soak $(ARGS)

.PHONY: size
size: $(READY) ## show what each module takes, against the record (ARGS=--record renews it)
	@$(BIN)/python -m tests.benchmarks.size $(ARGS)

.PHONY: bench
bench: $(READY) ## measure side by side with AWS's SDK and plain umqtt (ARGS=--record renews the record)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: docs
docs: $(READY) ## make the generated pages of docs/ again
	@$(BIN)/python -m host_tools.troubleshooting

.PHONY: lint
lint: $(READY) ## check style: ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: format
format: $(READY) ## mend style: ruff
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: typecheck
typecheck: $(READY) ## check types: the host strictly, the firmware against the ESP32 stubs
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file mypy-firmware.ini

.PHONY: lock
lock: ## renew the locks from requirements*.in (needs uv)
	@command -v uv >/dev/null || { echo "lock: uv is missing"; echo "  try: pip install uv"; exit 1; }
	@for name in requirements-build requirements; do \
		uv pip compile $$name.in -o $$name.lock --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header --quiet || exit 1; done

.PHONY: clean
clean: ## remove what was built; keeps .jobs-sandbox (keys, boards, cloud)
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m host_tools.still_running || [ $$? -ne 3 ]
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
