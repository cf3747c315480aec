#include "tests/orchestrator/program_fixture.h"

namespace wansweep {
namespace {

class CompareVerbTest : public ProgramTest {
 protected:
  Result wansweep(const std::vector<std::string>& arguments) { return finish(start(arguments, "ok")); }

  // A directory of imports: one run of two steps of so many ms.
  std::string imports(const std::string& name, int step_ms) {
    const std::string dump =
        write_text(directory_ / (name + ".json"),
                   fmt::format(R"({{"total_duration_ms": 9, "denoise_steps_ms": [{{"step": 0, "duration_ms": {0}}},
                        {{"step": 1, "duration_ms": {0}}}], "commit_hash": "{1}"}})",
                               step_ms, name));
    std::string directory = directory_ / name;
    const Result imported = wansweep(
        {"import", dump, "--run", "swap", "--dir", directory, "--set", "engine=sglang", "--set", "offload=swap"});
    EXPECT_EQ(imported.exit_code, 0) << imported.err;
    EXPECT_EQ(wansweep({"gather", directory, "-q"}).exit_code, 0);
    return directory;
  }
};

TEST_F(CompareVerbTest, DirectoriesOfImportsAreCompared) {
  const std::string before = imports("before", 100), after = imports("after", 50);
  const Result result = wansweep({"compare", before, after, "--csv"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("total,s,1/1,0.2,0.1"), std::string::npos) << result.out;
}

TEST_F(CompareVerbTest, ADatabaseOfOneSweepIsThatSweep) {
  const std::string before = imports("before", 100), after = imports("after", 50);
  const Result result = wansweep({"compare", before + "/results.db", after + "/results.db", "--csv"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("total,s,1/1,0.2,0.1"), std::string::npos) << result.out;
}

TEST_F(CompareVerbTest, NamesAreLookedUpInTheDatabaseThatIsGiven) {
  const std::string before = imports("before", 100), after = imports("after", 50);
  const std::string both = directory_ / "both.db";
  for (const std::string& directory : {before, after}) {
    EXPECT_EQ(wansweep({"gather", directory, "--db", both, "-q"}).exit_code, 0);
  }
  const Result result = wansweep({"compare", "before", "after", "--db", both, "--csv"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const Result unclear = wansweep({"compare", both, after});
  EXPECT_EQ(unclear.exit_code, 2);
  EXPECT_NE(unclear.err.find("both.db: holds 2 sweeps: after, before; give the names of two: wansweep compare OLD NEW"),
            std::string::npos)
      << unclear.err;
}

TEST_F(CompareVerbTest, AMovedDirectoryKeepsTheNameOfItsImports) {
  const std::string before = imports("before", 100);
  imports("after", 50);
  fs::rename(directory_ / "after", directory_ / "moved");
  const Result result = wansweep({"compare", before, directory_ / "moved", "--csv"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace wansweep
