#!/bin/bash
# PATH has the mpirun of MPICH.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
cat >mpirun <<'M'
#!/bin/bash
[ "$1" = --version ] && { echo "HYDRA build details:"; echo "    Version:                                 4.0.2"; exit 0; }
echo "[mpiexec@n1] match_arg (utils/args/args.c:163): unrecognized argument oversubscribe" >&2
echo "[mpiexec@n1] main (ui/mpich/mpiexec.c:148): error parsing parameters" >&2
exit 255
M
chmod +x mpirun; sweep s 3 1 >s.toml; "$BIN"/wansweep run s.toml --dir A --mpirun ./mpirun 2>&1 | tee out; grep -qi 'open mpi\|oversubscribe' out || bad "every run fails with the last of mpirun's lines; that it is not Open MPI is not said"
end
