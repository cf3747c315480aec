# The two front doors: `make demo` and `make test`. Each installs what is missing when it may, and builds what has changed.
PRESET ?= release
JOBS ?= $(shell nproc)
STUDY_GPUS ?= 4

.PHONY: build demo test test-slurm dist test-dist fuzz study-multi-gpu lint syntax docs dependencies clean

# Everything: both programs with what CMake finds (CUDA), and the tests.
build:
	@cmake --preset $(PRESET) --log-level=NOTICE
	@cmake --build --preset $(PRESET) -j $(JOBS)

dependencies:
	@tools/dependencies

# The two programs alone, without CUDA, in build/demo.
demo: dependencies
	@$(MAKE) --no-print-directory build PRESET=demo
	@tools/demo

test: dependencies
	@JOBS=$(JOBS) tools/test

# Against a real Slurm, which it installs, starts in a folder of its own, and stops: it needs root. Part of `make test`.
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

# The fuzz targets with libFuzzer, FUZZ_SECONDS each (60 by default); what they find stays in build/fuzz. Needs clang.
fuzz: dependencies
	@JOBS=$(JOBS) tools/fuzz $(FUZZ_SECONDS)

# The study on 4 GPUs of this machine, or with STUDY_GPUS=6 its part for six; STUDY_SECONDS stops it cleanly then, and the same command goes on.
study-multi-gpu:
	tools/gpu/study jobs/h200-offload-$(STUDY_GPUS).toml $(STUDY_SECONDS)

# Format and clang-tidy, on the debug preset: there each file is compiled by itself.
lint:
	@JOBS=$(JOBS) tools/lint

# Whether clang compiles every source, without code: the other compiler's errors and warnings.
syntax:
	@JOBS=$(JOBS) tools/syntax

# The public headers as HTML, in build/docs/html. Needs doxygen, which nothing else does.
docs:
	@tools/doxygen/make

# Builds only: results in out/ stay.
clean:
	rm -rf build
