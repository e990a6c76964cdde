# A thin face on CMake: `make mnist` for the first minute, `make help` for the rest.
BUILD  = build
PREFIX = /usr/local
JOBS   = $(shell nproc)

# Quiet unless something is wrong; V=1 shows every step.
SHOW        = $(if $(V),ON,OFF)
CMAKE_QUIET = -DCMAKE_RULE_MESSAGES=$(SHOW) -DCMAKE_TARGET_MESSAGES=$(SHOW) $(if $(V),,--log-level=WARNING -DCMAKE_INSTALL_MESSAGE=NEVER)
CONFIGURE   = cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_QUIET) $(CMAKE_OPTIONS) $(if $(V),,>/dev/null)
COMPILE     = { command -v cmake >/dev/null || { echo "cmake is missing; make deps installs it" >&2; false; }; } && \
              $(CONFIGURE) && MAKEFLAGS=--no-print-directory cmake --build $(BUILD) --parallel $(JOBS)

all:
	@echo "Building in $(BUILD)/ ..."
	@$(COMPILE)

mnist: deps
	@echo "Building in $(BUILD)/ ..."
	@$(COMPILE) --target cornu_tool
	@echo '$$ $(BUILD)/cornu train mnist --layers 512:relu,10:softmax --epochs 5 --batch-size 128 --output mnist.safetensors'
	@$(BUILD)/cornu train mnist --layers 512:relu,10:softmax --epochs 5 --batch-size 128 --output mnist.safetensors
	@$(BUILD)/cornu show mnist --test --start 7 --count 1 --output $(BUILD)/digit.png --quiet
	@echo; echo '$$ $(BUILD)/cornu predict mnist.safetensors $(BUILD)/digit.png'
	@$(BUILD)/cornu predict mnist.safetensors $(BUILD)/digit.png
	@echo; echo "Try next:"
	@echo "  $(BUILD)/cornu predict mnist.safetensors PHOTO.png                  a digit in your own hand"
	@echo "  $(BUILD)/cornu show mnist                                           the digits"
	@echo "  $(BUILD)/cornu show mnist.safetensors                               what the first layer looks for"
	@echo "  $(BUILD)/cornu train mnist --layers 64:relu,10:softmax --epochs 20  another network"
	@echo "  $(BUILD)/cornu help train                                           all options, with examples"

test: deps all
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

bench: deps all
	@CORNU_BUILD=$(BUILD) bench/run.sh $(SECTIONS)

bench-setup:
	@bench/setup.sh

install: all
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)
	@echo "Installed in $(DESTDIR)$(PREFIX)"

deps:
	@packaging/install-missing.sh

clean:
	@rm -rf $(BUILD)

help:
	@echo "make mnist        install what is missing, build, train on 60,000 digits, save mnist.safetensors"
	@echo "make              build in $(BUILD)/ (V=1 shows every step, CMAKE_OPTIONS=-D... sets options)"
	@echo "make test         build and run every test"
	@echo "make bench        measure, against whatever rivals are installed; make bench-setup installs them"
	@echo "make install      into PREFIX ($(PREFIX)), below DESTDIR if given"
	@echo "make deps         install the Debian packages that are missing"
	@echo "make clean        remove $(BUILD)/"

.PHONY: all mnist test bench bench-setup install deps clean help
.NOTPARALLEL:
