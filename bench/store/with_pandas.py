"""with_pandas.py SWEEP DATABASE: loads the events of every trace into one table with h5py and pandas, for bench/store/measure."""
import glob
import os
import sqlite3
import sys

import h5py
import pandas

sweep, database = sys.argv[1:]
connection = sqlite3.connect(database)
for attempt, directory in enumerate(sorted(glob.glob(sweep + "/attempts/*")), 1):
    for file in sorted(glob.glob(directory + "/rank-*.h5")):
        with h5py.File(file, "r", swmr=True) as trace:
            events = pandas.DataFrame(trace["events"][:])
        events["attempt"] = attempt
        events["rank"] = int(os.path.basename(file)[5:9])
        events.to_sql("event", connection, if_exists="append", index=False)
connection.commit()
