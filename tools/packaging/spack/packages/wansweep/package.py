# Spack: spack repo add tools/packaging/spack && spack install wansweep
from spack.package import *


class Wansweep(CMakePackage, CudaPackage):
    """Sweeps of Wan2.2's denoising loop: how its two experts are best moved between host and GPU memory."""

    # The source archive of `make dist`, which includes the small libraries: put it into a Spack mirror, or beside this file.
    url = "file:///wansweep-0.1.0-source.tar.gz"

    version("0.1.0", no_cache=True)

    variant("worker", default=True, description="wansweep-worker, which runs the loop (MPI)")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("hdf5@1.10:")
    depends_on("openssl")
    depends_on("sqlite@3.37:")
    depends_on("mpi", when="+worker")
    depends_on("blas", when="+worker")
    depends_on("cuda@12.4:", when="+cuda")
    depends_on("cudnn@9:", when="+cuda")
    depends_on("nccl", when="+cuda")

    conflicts("%gcc@:10", msg="C++20 as wansweep uses it needs GCC 11")
    conflicts("+cuda", when="~worker", msg="only the worker uses a GPU")

    def cmake_args(self):
        return [
            self.define("WANSWEEP_BUILD_TESTS", False),
            self.define_from_variant("WANSWEEP_BUILD_WORKER", "worker"),
            self.define("WANSWEEP_CUDA", "ON" if self.spec.satisfies("+cuda") else "OFF"),
        ]

    def setup_run_environment(self, env):
        env.set("WANSWEEP_SHARE", self.prefix.share.wansweep)
