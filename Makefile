# The two front doors: `make demo` and `make test`. Each installs what is missing when it may, and builds what has changed.
PRESET ?= release
JOBS ?= $(shell nproc)

.PHONY: build demo test test-slurm dependencies clean

build:
	cmake --preset $(PRESET)
	cmake --build --preset $(PRESET) -j $(JOBS)

dependencies:
	@tools/dependencies

demo: dependencies
	@$(MAKE) --no-print-directory build
	@tools/demo

test: dependencies
	@$(MAKE) --no-print-directory build
	ctest --preset release
	@$(MAKE) --no-print-directory build PRESET=asan
	ctest --preset asan
	@$(MAKE) --no-print-directory build PRESET=tsan
	ctest --preset tsan

# Against a real Slurm, which it installs, starts in a folder of its own, and stops. Apart from `make test`: it needs root.
test-slurm: dependencies
	@tools/dependencies --tests
	@$(MAKE) --no-print-directory build
	ctest --preset slurm

# Builds only: results in out/ stay.
clean:
	rm -rf build
