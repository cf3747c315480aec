// The HDF5 layout of the trace's rows, and the HDF5 helpers that writer and reader share. Only trace_*.cc include this.
#pragma once

#include <hdf5.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <mutex>
#include <utility>

#include "base/error.h"

namespace wansweep::trace_layout {

static_assert(std::endian::native == std::endian::little, "rows are read and written without conversion");

// Rows as they lie in the file: without padding, and with the row's number, from 1, as the last member. A kill or a cut
// can leave the space of a row without its bytes; the number then reads as zero.
struct StoredStep {
  int64_t start_ns, end_ns;
  int32_t step, expert, timestep;
  float sigma;
  uint32_t events, memory;  // rows of those tables when this row was written: fewer mean that the file is cut short
  int64_t row;
};
struct StoredEvent {
  int64_t start_ns, end_ns, bytes;
  int32_t step;
  int16_t forward, block;
  uint8_t kind, cause, stream, expert;
  uint32_t row;
};
struct StoredMemory {
  int64_t time_ns, device_used, device_peak, host_used, host_peak;
  int32_t step;
  uint32_t row;
};
struct StoredClock {
  int64_t time_ns, offset_ns, round_trip_ns;
  int32_t at_end;
  uint32_t row;
};
struct StoredNonfinite {
  int64_t values;
  int32_t step;
  uint32_t row;
};
struct StoredPower {
  int64_t time_ns, energy_mj;
  int32_t step, power_mw, sm_clock_mhz, temperature_c;
  int64_t row;
};
struct StoredDigest {
  char sha256[64];
};
static_assert(sizeof(StoredStep) == 48 && sizeof(StoredEvent) == 40 && sizeof(StoredMemory) == 48 &&
              sizeof(StoredClock) == 32 && sizeof(StoredNonfinite) == 16 && sizeof(StoredPower) == 40);

// Owns one HDF5 identifier, and closes it with the function for its kind.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() { reset(); }
  herr_t reset() { return id_ >= 0 ? close_(std::exchange(id_, H5I_INVALID_HID)) : 0; }
  operator hid_t() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

// HDF5 is not always built for threads, keeps its error printing per thread where it is, and reads the locking variable
// once. Locks are not needed (one writer, SWMR) and fail on many parallel file systems.
class Library {
 public:
  Library() : lock_(mutex()) {
    static const bool once = [] {
      setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
      // At exit the library would try again to write what it could not write before, and crash when the disk is full.
      // This must be the library's first call, which is why trace_file.h has hdf5_version().
      H5dont_atexit();
      return H5open() >= 0;
    }();
    if (!once) throw Error(ExitCode::internal, "the HDF5 library cannot be started");
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }

 private:
  static std::mutex& mutex() {
    static std::mutex instance;
    return instance;
  }
  std::lock_guard<std::mutex> lock_;
};

inline Handle access_list() {
  Handle list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(list, false, true);
#endif
  return list;
}

struct Column {
  const char* name;
  size_t offset;
  hid_t type;
};

inline Handle compound(size_t size, std::initializer_list<Column> columns) {
  Handle type(H5Tcreate(H5T_COMPOUND, size), H5Tclose);
  for (const Column& column : columns) H5Tinsert(type, column.name, column.offset, column.type);
  return type;
}

inline Handle text_type(size_t size) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, size);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

template <typename Row>
Handle row_type();

#define COLUMN(row, member, type) \
  { #member, offsetof(row, member), type }
template <>
inline Handle row_type<StoredStep>() {
  return compound(sizeof(StoredStep),
                  {COLUMN(StoredStep, start_ns, H5T_STD_I64LE), COLUMN(StoredStep, end_ns, H5T_STD_I64LE),
                   COLUMN(StoredStep, step, H5T_STD_I32LE), COLUMN(StoredStep, expert, H5T_STD_I32LE),
                   COLUMN(StoredStep, timestep, H5T_STD_I32LE), COLUMN(StoredStep, sigma, H5T_IEEE_F32LE),
                   COLUMN(StoredStep, events, H5T_STD_U32LE), COLUMN(StoredStep, memory, H5T_STD_U32LE),
                   COLUMN(StoredStep, row, H5T_STD_I64LE)});
}
template <>
inline Handle row_type<StoredEvent>() {
  return compound(sizeof(StoredEvent),
                  {COLUMN(StoredEvent, start_ns, H5T_STD_I64LE), COLUMN(StoredEvent, end_ns, H5T_STD_I64LE),
                   COLUMN(StoredEvent, bytes, H5T_STD_I64LE), COLUMN(StoredEvent, step, H5T_STD_I32LE),
                   COLUMN(StoredEvent, forward, H5T_STD_I16LE), COLUMN(StoredEvent, block, H5T_STD_I16LE),
                   COLUMN(StoredEvent, kind, H5T_STD_U8LE), COLUMN(StoredEvent, cause, H5T_STD_U8LE),
                   COLUMN(StoredEvent, stream, H5T_STD_U8LE), COLUMN(StoredEvent, expert, H5T_STD_U8LE),
                   COLUMN(StoredEvent, row, H5T_STD_U32LE)});
}
template <>
inline Handle row_type<StoredMemory>() {
  return compound(sizeof(StoredMemory),
                  {COLUMN(StoredMemory, time_ns, H5T_STD_I64LE), COLUMN(StoredMemory, device_used, H5T_STD_I64LE),
                   COLUMN(StoredMemory, device_peak, H5T_STD_I64LE), COLUMN(StoredMemory, host_used, H5T_STD_I64LE),
                   COLUMN(StoredMemory, host_peak, H5T_STD_I64LE), COLUMN(StoredMemory, step, H5T_STD_I32LE),
                   COLUMN(StoredMemory, row, H5T_STD_U32LE)});
}
template <>
inline Handle row_type<StoredClock>() {
  return compound(sizeof(StoredClock),
                  {COLUMN(StoredClock, time_ns, H5T_STD_I64LE), COLUMN(StoredClock, offset_ns, H5T_STD_I64LE),
                   COLUMN(StoredClock, round_trip_ns, H5T_STD_I64LE), COLUMN(StoredClock, at_end, H5T_STD_I32LE),
                   COLUMN(StoredClock, row, H5T_STD_U32LE)});
}
template <>
inline Handle row_type<StoredNonfinite>() {
  return compound(sizeof(StoredNonfinite),
                  {COLUMN(StoredNonfinite, values, H5T_STD_I64LE), COLUMN(StoredNonfinite, step, H5T_STD_I32LE),
                   COLUMN(StoredNonfinite, row, H5T_STD_U32LE)});
}
template <>
inline Handle row_type<StoredPower>() {
  return compound(sizeof(StoredPower),
                  {COLUMN(StoredPower, time_ns, H5T_STD_I64LE), COLUMN(StoredPower, energy_mj, H5T_STD_I64LE),
                   COLUMN(StoredPower, step, H5T_STD_I32LE), COLUMN(StoredPower, power_mw, H5T_STD_I32LE),
                   COLUMN(StoredPower, sm_clock_mhz, H5T_STD_I32LE), COLUMN(StoredPower, temperature_c, H5T_STD_I32LE),
                   COLUMN(StoredPower, row, H5T_STD_I64LE)});
}
#undef COLUMN
template <>
inline Handle row_type<StoredDigest>() {
  return text_type(sizeof(StoredDigest));
}

}  // namespace wansweep::trace_layout
