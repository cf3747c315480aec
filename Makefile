# The two front doors: `make demo` and `make test`. Each installs what is missing when it may, and builds what has changed.
PRESET ?= release
JOBS ?= $(shell nproc)

.PHONY: build demo test dependencies clean

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

# Builds only: results in out/ stay.
clean:
	rm -rf build
