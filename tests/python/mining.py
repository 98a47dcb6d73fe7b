"""What pm4py makes of exports: `mining.py read DIRECTORY` reads every form that is there, `mining.py align LOG NET ...` aligns
each log with its net. Prints JSON."""

import contextlib
import io
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
# pm4py draws bars and prints notices; the answer is the only thing on the standard output.
with contextlib.redirect_stdout(sys.stderr):
    import pandas
    import pm4py

DONE = ["complete", "autoskip", "manualskip"]


def done(log):
    """One event for each firing of a task."""
    return log[log["lifecycle:transition"].isin(DONE)] if "lifecycle:transition" in log else log


def fitness(log, net):
    """By trace, in the order of the log: its activities, its fitness by an optimal alignment, whether its tokens could be replayed."""
    log = pm4py.convert_to_event_log(log)
    aligned = pm4py.conformance_diagnostics_alignments(log, *net)
    replayed = pm4py.conformance_diagnostics_token_based_replay(log, *net)
    return {
        "traces": [[event["concept:name"] for event in trace] for trace in log],
        "alignments": [one["fitness"] for one in aligned],
        "replay": [bool(one["trace_is_fit"]) for one in replayed],
    }


def names(log):
    """Activities by case, as the log has them."""
    return {str(case): list(rows["concept:name"]) for case, rows in log.groupby("case:concept:name", sort=False)}


def ocel(log):
    relations = log.relations
    return {
        "events": len(log.events),
        "objects": len(log.objects),
        "types": sorted(log.objects["ocel:type"].unique()),
        "activities": sorted(log.events["ocel:activity"].unique()),
        "relations": len(relations),
        "first": sorted(relations[relations["ocel:eid"] == log.events["ocel:eid"].iloc[0]]["ocel:oid"]),
    }


def read(directory):
    at = lambda name: os.path.join(directory, name)
    answer = {}
    if os.path.exists(at("log.xes")):
        log = pm4py.read_xes(at("log.xes"))
        first = log.iloc[0]
        answer["xes"] = {
            "events": len(log),
            "columns": sorted(log.columns),
            "done": names(done(log)),
            "time": str(first["time:timestamp"]),
            "keys": sorted(set(log["case:key"].dropna())) if "case:key" in log else [],
            "lifecycle": sorted(log["lifecycle:transition"].unique()),
        }
        for net in ["net", "graph"]:
            if os.path.exists(at(net + ".pnml")):
                answer[net] = fitness(done(log), pm4py.read_pnml(at(net + ".pnml")))
        if os.path.exists(at("doctored.xes")):
            answer["doctored"] = fitness(done(pm4py.read_xes(at("doctored.xes"))), pm4py.read_pnml(at("net.pnml")))
    if os.path.exists(at("log.csv")):
        rows = pandas.read_csv(at("log.csv"), dtype={"case:concept:name": str}, keep_default_na=False)
        log = pm4py.format_dataframe(rows)
        answer["csv"] = {"events": len(log), "done": names(done(log)), "keys": sorted(set(rows["case:key"]))}
    readers = {"json": pm4py.read_ocel2_json, "xml": pm4py.read_ocel2_xml, "sqlite": pm4py.read_ocel2_sqlite}
    for kind, reader in readers.items():
        if os.path.exists(at("ocel." + kind)):
            answer[kind] = ocel(reader(at("ocel." + kind)))
    return answer


def main():
    with contextlib.redirect_stdout(io.StringIO()):
        if sys.argv[1] == "read":
            answer = read(sys.argv[2])
        else:
            pairs = zip(sys.argv[2::2], sys.argv[3::2])
            answer = [fitness(pm4py.read_xes(log), pm4py.read_pnml(net)) for log, net in pairs]
    print(json.dumps(answer))


main()
