"""A short run of `lianxi-bench broker` writes every name of the contract, with null where nothing was measured."""

import json
import pathlib
import subprocess
import sys
import tempfile

RATIOS = ["durable_vs_best_synced", "durable_vs_jetstream", "durable_vs_best_unsynced", "incident_vs_best_synced", "curve_share",
          "ack_p50_vs_fdatasync", "ack_p99_vs_fdatasync", "fanout16_vs_proxy", "flash_overtaken_batches"]
MEASURED = {"ack_p50_vs_fdatasync", "ack_p99_vs_fdatasync"}
COUNTED_BY_THE_BROKER = {"flash_overtaken_batches"}  # there if the broker counts it


def main():
    bench = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([bench, "broker", "--only", "lianxi,fdatasync", "--rounds", "1", "--seconds", "0.3", "--publishers", "2",
                        "--out", folder], check=True, timeout=600)
        result = json.loads((pathlib.Path(folder) / "broker.json").read_text(encoding="utf-8"))
    assert list(result["ratios"]) == RATIOS, result["ratios"]
    for name, value in result["ratios"].items():
        if name in COUNTED_BY_THE_BROKER:
            continue
        assert (value is not None) == (name in MEASURED), (name, value)
        assert value is None or value > 0, (name, value)
    peers = {peer["name"]: peer for peer in result["peers"]}
    ours = peers["lianxi"]
    assert ours["measured"] and ours["reason"] is None, ours
    assert result["event_bytes"] == 256, result["event_bytes"]
    for row in ("durable_256", "durable_1k", "paced", "incident", "fanout16"):
        assert ours["rows"][row]["acked_per_second"]["median"] > 0, row
    assert ours["rows"]["fanout16"]["delivered_per_second"]["median"] > 0
    if ours["syncs_seen"] is not None:
        assert ours["syncs_seen"]["syncs"] >= ours["syncs_seen"]["answers"], ours["syncs_seen"]
    for phase in ("idle", "load_80", "saturated"):
        assert result["flash"][phase]["delivered"]["p50_us"]["median"] > 0, phase
    for name, peer in peers.items():
        if name != "lianxi":
            assert not peer["measured"] and peer["reason"], peer


if __name__ == "__main__":
    main()
