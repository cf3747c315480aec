#include "orchestrator/imports/kernel_classes.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace wansweep {
namespace {

TEST(KernelClasses, RealNamesAreClassed) {
  KernelClasses classes;
  const std::pair<const char*, KernelClass> names[] = {
      {"void cutlass::device_kernel<flash::enable_sm90<flash::FlashAttnFwdSm90<flash::CollectiveMainloopFwdSm90<2>>>>",
       KernelClass::attention},
      {"cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16_knob_7_64x128x128_4x1x1", KernelClass::attention},
      {"void pytorch_flash::flash_fwd_kernel<pytorch_flash::Flash_fwd_kernel_traits<128, 64>>", KernelClass::attention},
      {"fmha_cutlassF_bf16_aligned_64x128_rf_sm80(PyTorchMemEffAttention::AttentionKernel)", KernelClass::attention},
      {"nvjet_tst_128x256_64x4_1x2_h_bz_coopA_bias_TNT", KernelClass::product},
      {"sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x256x64_warpgroupsize2x1x1", KernelClass::product},
      {"void cutlass::Kernel2<cutlass_80_tensorop_bf16_s16816gemm_relu_bf16_128x256>", KernelClass::product},
      {"ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)", KernelClass::all_to_all},
      {"ncclDevKernel_AllGather_RING_LL(ncclDevKernelArgsStorage<4096ul>)", KernelClass::all_to_all},
      {"void at::native::vectorized_elementwise_kernel<4, at::native::GeluCUDAKernelImpl>", KernelClass::other},
      {"void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<float, float>", KernelClass::other},
      {"void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float>>", KernelClass::other},
      {"triton_poi_fused_add_mul_3", KernelClass::other},
  };
  for (const auto& [name, kind] : names) EXPECT_EQ(classes.find(name), kind) << name;
  EXPECT_EQ(classes.find("something_else_entirely"), std::nullopt);
}

TEST(KernelClasses, AUsersFileGoesBeforeWansweepsOwn) {
  const TemporaryDirectory directory;
  const std::string file = write_text(directory / "mine.toml",
                                      "[[kernel]]\nclass = \"ring\"\npattern = \"SendRecv\"\n"
                                      "[[kernel]]\nclass = \"attention\"\npattern = \"^my_\"\n");
  KernelClasses classes(file);
  EXPECT_EQ(classes.find("ncclDevKernel_SendRecv"), KernelClass::ring);
  EXPECT_EQ(classes.find("my_gemm"), KernelClass::attention);
  EXPECT_EQ(classes.find("a_gemm"), KernelClass::product);
}

TEST(KernelClasses, AWrongFileIsRefusedByItsLine) {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::string& text, const std::string& part) {
    const std::string file = write_text(directory / "k.toml", text);
    expect_error(ExitCode::bad_input, part, [&] { KernelClasses{file}; });
  };
  refused("[[kernel]]\nclass = \"gemm\"\npattern = \"x\"\n",
          "k.toml:2: class is gemm; possible values: attention, product, all_to_all, ring, other");
  refused("[[kernel]]\nclass = \"ring\"\npatern = \"x\"\n", "k.toml:3: unknown key patern; did you mean pattern?");
  refused("[[kernel]]\nclass = \"ring\"\npattern = \"(\"\n",
          "k.toml:3: pattern ( is not an extended regular expression");
  refused("[[kernel]]\nclass = \"ring\"\n", "pattern is missing");
  refused("kernel = 3\n", "k.toml: holds no [[kernel]]");
  expect_error(ExitCode::bad_input, "none.toml", [&] { KernelClasses{directory / "none.toml"}; });
}

TEST(KernelClasses, KernelsAreNamedWithoutTypesAndEachOnce) {
  EXPECT_EQ(names_of_longest({{"void getrf_pivot<getrf_params_<float, 32, 1> >(int, float*)", 1},
                              {"void at::native::(anonymous namespace)::fill<float, 2>(int)", 4},
                              {"void at::native::(anonymous namespace)::fill<half, 2>(int)", 3},
                              {"laswp_kernel", 2},
                              {"short", 0}}),
            "at::native::fill, laswp_kernel, getrf_pivot");
}

}  // namespace
}  // namespace wansweep
