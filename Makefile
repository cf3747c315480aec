# The two front doors: `make demo` and `make test`. Each installs what is missing when it may, and builds what has changed.
PRESET ?= release
JOBS ?= $(shell nproc)

.PHONY: build demo test dependencies test-dependencies clean

build:
	cmake --preset $(PRESET)
	cmake --build --preset $(PRESET) -j $(JOBS)

dependencies:
	@tools/dependencies

# Without them the tests on a real Slurm are skipped, with a line that says so.
test-dependencies: dependencies
	-@tools/dependencies --tests

demo: dependencies
	@$(MAKE) --no-print-directory build
	@tools/demo

test: test-dependencies
	@$(MAKE) --no-print-directory build
	ctest --preset release
	@$(MAKE) --no-print-directory build PRESET=asan
	ctest --preset asan
	@$(MAKE) --no-print-directory build PRESET=tsan
	ctest --preset tsan

# Builds only: results in out/ stay.
clean:
	rm -rf build
