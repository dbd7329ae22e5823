// What runs beside the simulated world but costs a run half its time: each seal is verified once, however many nodes, checks
// and proofs ask again. A pure function of its arguments, and only equal arguments get the kept answer; the linker puts it
// before the codec's function, in this program alone.
#pragma once

namespace lianxi::sim {

void forget_seals();
// Once for the process, before its first run: an allocator that keeps its blocks, and a SQLite without locks for threads.
void prepare_process();

}  // namespace lianxi::sim
