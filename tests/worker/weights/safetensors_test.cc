#include <gtest/gtest.h>
#include <sys/resource.h>

#include <bit>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"
#include "worker/weights/safetensors.h"

namespace wansweep {
namespace {

std::string with_length(uint64_t length, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + rest;
}

std::string file_of(const std::string& header, size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

class SafetensorsTest : public testing::Test {
 protected:
  // Expects an error that contains `part` and the file's name.
  void expect_refused(const std::string& content, const std::string& part) {
    const std::string file = write_text(directory_ / "bad.safetensors", content);
    expect_error(ExitCode::bad_input, part, [&] { SafetensorsFile{file}; });
    expect_error(ExitCode::bad_input, "bad.safetensors: ", [&] { SafetensorsFile{file}; });
  }
  TemporaryDirectory directory_;
};

TEST_F(SafetensorsTest, WhatIsWrittenIsReadBack) {
  const std::string file = directory_ / "x.safetensors";
  const std::vector<float> a = {1, -2, 3.5F, 4, 5, 6};
  const float b = 7;
  write_safetensors(file, {{"format", "pt"}},
                    {{"z.weight", {2, 3}, a.data()}, {"b", {}, &b}, {"empty", {0, 4}, nullptr}});
  const SafetensorsFile read(file);
  EXPECT_EQ(read.metadata().at("format"), "pt");
  EXPECT_EQ(read.names(), (std::vector<std::string>{"b", "empty", "z.weight"}));
  const TensorView& view = read.find("z.weight");
  EXPECT_EQ(view.dtype, "F32");
  EXPECT_EQ(view.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(view.bytes, 24);
  EXPECT_EQ(view.values(), 6);
  std::vector<float> got(6);
  convert_to_f32(view, got.data());
  EXPECT_EQ(got, a);
  EXPECT_EQ(read.find("b").values(), 1);
  EXPECT_EQ(read.find("empty").bytes, 0);
  expect_error(ExitCode::bad_input, "x.safetensors: tensor c is missing", [&] { read.find("c"); });
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1) << "temporary file left";
}

TEST_F(SafetensorsTest, BrokenLengthsAreRefused) {
  expect_refused("", "has 0 bytes");
  expect_refused("1234567", "has 7 bytes");
  expect_refused(with_length(3, "{}"), "the header of 3 bytes extends past the end of the file");
  expect_refused(with_length(100'000'001, "{}"), "the length of its header, at most 100000000, and are 100000001");
  expect_refused(with_length(UINT64_MAX, "{}"), "is not a safetensors file: ");
}

TEST_F(SafetensorsTest, HeadersThatAreNotAnObjectAreRefused) {
  expect_refused(file_of("{\"a\":", 0), "the header is not JSON");
  expect_refused(file_of("", 0), "the header is not JSON");
  expect_refused(file_of("[]", 0), "the header is not a JSON object");
  expect_refused(file_of("{\"a\xff\": 1}", 0), "the header is not JSON");
  expect_refused(file_of(R"({"__metadata__": []})", 0), "__metadata__ is not an object");
  expect_refused(file_of(R"({"__metadata__": {"a": 1}})", 0), "__metadata__.a is not a string");
}

TEST_F(SafetensorsTest, BrokenTensorEntriesAreRefused) {
  const auto entry = [](const std::string& fields) { return file_of("{\"t\": {" + fields + "}}", 8); };
  expect_refused(file_of(R"({"t": 3})", 0), "tensor t: its header entry is not an object");
  expect_refused(entry(R"("shape": [2], "data_offsets": [0, 8])"), "tensor t: has no dtype");
  expect_refused(entry(R"("dtype": "F33", "shape": [2], "data_offsets": [0, 8])"), "tensor t: dtype F33 is unknown");
  expect_refused(entry(R"("dtype": "F32", "data_offsets": [0, 8])"), "tensor t: has no shape");
  expect_refused(entry(R"("dtype": "F32", "shape": [-2], "data_offsets": [0, 8])"), "tensor t: shape [-2] has a size");
  expect_refused(entry(R"("dtype": "F32", "shape": [2.0], "data_offsets": [0, 8])"),
                 "tensor t: shape [2.0] has a size");
  expect_refused(entry(R"("dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 8])"),
                 "overflows 64 bits");
  expect_refused(entry(R"("dtype": "F32", "shape": [18446744073709551615], "data_offsets": [0, 8])"), "has a size");
  expect_refused(entry(R"("dtype": "F32", "shape": [2])"), "tensor t: has no data_offsets pair");
  expect_refused(entry(R"("dtype": "F32", "shape": [2], "data_offsets": [0, 4, 8])"), "has no data_offsets pair");
  expect_refused(entry(R"("dtype": "F32", "shape": [2], "data_offsets": [8, 0])"), "are not a begin and an end");
  expect_refused(entry(R"("dtype": "F32", "shape": [2], "data_offsets": [-8, 0])"), "are not a begin and an end");
  expect_refused(entry(R"("dtype": "F32", "shape": [3], "data_offsets": [0, 12])"),
                 "extend past the end of the data (8 bytes)");
  expect_refused(entry(R"("dtype": "F32", "shape": [3], "data_offsets": [0, 8])"),
                 "has 8 bytes; F32 of shape [3] need 12");
}

TEST_F(SafetensorsTest, DataThatIsNotSharedOutExactlyIsRefused) {
  const std::string a = R"("a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]})";
  expect_refused(file_of("{" + a + R"(, "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}})", 6),
                 "tensor b overlaps tensor a");
  expect_refused(file_of("{" + a + R"(, "b": {"dtype": "U8", "shape": [4], "data_offsets": [6, 10]}})", 10),
                 "tensor b: 2 bytes before it belong to no tensor");
  expect_refused(file_of("{" + a + "}", 7), "the last 3 bytes belong to no tensor");
  expect_refused(file_of("{" + a + ", " + a + "}", 4), "tensor a is in the header twice");
}

TEST_F(SafetensorsTest, AMissingFileAndADirectoryAreRefused) {
  expect_error(ExitCode::bad_input, "none.safetensors: cannot be read: No such file",
               [&] { SafetensorsFile{directory_ / "none.safetensors"}; });
  expect_error(ExitCode::bad_input, "is not a regular file", [&] { SafetensorsFile{directory_.path()}; });
}

TEST_F(SafetensorsTest, AnEmptyObjectIsAValidFile) {
  EXPECT_TRUE(SafetensorsFile(write_text(directory_ / "a", file_of("{}", 0))).names().empty());
}

TEST_F(SafetensorsTest, UnalignedF16AndBf16AreConverted) {
  const std::string header =
      R"({"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"h":{"dtype":"F16","shape":[2],"data_offsets":[1,5]},)"
      R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[5,9]},"i":{"dtype":"I32","shape":[1],"data_offsets":[9,13]}})";
  const uint16_t values[] = {0x3C00, 0xC100, 0x3F80, 0xC020};  // 1, -2.5 in each
  std::string data(1, 'x');
  data.append(reinterpret_cast<const char*>(values), sizeof values).append(4, '\0');
  const SafetensorsFile file(write_text(directory_ / "h", with_length(header.size(), header + data)));
  for (const char* name : {"h", "b"}) {
    float out[2] = {};
    convert_to_f32(file.find(name), out);
    EXPECT_EQ(out[0], 1);
    EXPECT_EQ(out[1], -2.5F);
    uint16_t halves[2] = {};
    convert_to_bf16(file.find(name), halves);
    EXPECT_EQ(halves[0], 0x3F80);
    EXPECT_EQ(halves[1], 0xC020);
  }
  float out = 0;
  expect_error(ExitCode::bad_input, "tensor i: dtype I32 cannot be used",
               [&] { convert_to_f32(file.find("i"), &out); });
}

TEST_F(SafetensorsTest, AnUnwritablePlaceIsAnOutputError) {
  const float value = 1;
  expect_error(ExitCode::output, "none/x.safetensors: cannot be written: No such file", [&] {
    write_safetensors(directory_ / "none/x.safetensors", {}, {{"a", {}, &value}});
  });
  expect_error(ExitCode::internal, "tensor a is given twice", [&] {
    write_safetensors(directory_ / "x", {}, {{"a", {}, &value}, {"a", {}, &value}});
  });
}

TEST_F(SafetensorsTest, AWriteThatStopsHalfWayLeavesTheOldFile) {
  const std::string file = directory_ / "x.safetensors";
  const std::vector<float> values(100'000, 1);
  write_safetensors(file, {}, {{"old", {1}, values.data()}});
  // A limit on the file size stands for a full disk.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{.rlim_cur = 50'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  expect_error(ExitCode::output, "x.safetensors: cannot write: File too large", [&] {
    write_safetensors(file, {}, {{"new", {100'000}, values.data()}});
  });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(SafetensorsFile(file).contains("old"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1) << "temporary file left";
}

}  // namespace
}  // namespace wansweep
