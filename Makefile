# `make demo` and `make test` install missing packages if they may, and build what has changed.
PRESET ?= release
JOBS ?= $(shell nproc)
STUDY_GPUS ?= 4

.PHONY: build demo test test-slurm dist test-dist fuzz study-multi-gpu lint syntax docs dependencies clean

# Both programs, with CUDA if CMake finds it, and the tests.
build:
	@cmake --preset $(PRESET) --log-level=NOTICE
	@cmake --build --preset $(PRESET) -j $(JOBS)

dependencies:
	@tools/dependencies

# Builds only the two programs, without CUDA, in build/demo, and runs the demo sweep.
demo: dependencies
	@$(MAKE) --no-print-directory build PRESET=demo
	@tools/demo

test: dependencies
	@JOBS=$(JOBS) tools/test

# Tests on a real Slurm, which it installs, starts in a folder of its own, and stops. Needs root. Part of `make test`.
test-slurm: dependencies
	@tools/dependencies --tests
	@$(MAKE) --no-print-directory build
	ctest --preset slurm

# Two archives with checksums in build/dist, for clusters where nobody is root: the source with its small libraries, and the
# orchestrator as one static program. `test-dist` proves them in systems of their own: it needs root and Debian's registry.
dist: dependencies
	@JOBS=$(JOBS) tools/dist/make

test-dist: dependencies
	@JOBS=$(JOBS) tools/dist/test

# Runs the fuzz targets with libFuzzer, FUZZ_SECONDS each (60 by default); inputs that fail stay in build/fuzz. Needs clang.
fuzz: dependencies
	@JOBS=$(JOBS) tools/fuzz $(FUZZ_SECONDS)

# The study on 4 GPUs of this machine, or with STUDY_GPUS=6 its part for six; with STUDY_SECONDS it stops cleanly after that time, and the same
# command continues.
study-multi-gpu:
	tools/gpu/study jobs/h200-offload-$(STUDY_GPUS).toml $(STUDY_SECONDS)

# Checks format and runs clang-tidy, on the debug preset, where each file is compiled by itself.
lint:
	@JOBS=$(JOBS) tools/lint

# Compiles every source with clang, without generating code, for the errors and warnings of another compiler.
syntax:
	@JOBS=$(JOBS) tools/syntax

# The public headers as HTML, in build/docs/html. Needs doxygen, which nothing else does.
docs:
	@tools/doxygen/make

# Removes only builds: results in out/ stay.
clean:
	rm -rf build
