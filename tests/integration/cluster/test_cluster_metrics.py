"""The metrics of several nodes as one page."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from cluster.metrics_page import merged

PAGE = """# HELP ray_optionchain_steps_total Snapshots that moved a cursor
# TYPE ray_optionchain_steps_total counter
ray_optionchain_steps_total{{WorkerId="{worker}"}} {steps}
# HELP ray_optionchain_batch_size Calls served together
# TYPE ray_optionchain_batch_size histogram
ray_optionchain_batch_size_bucket{{WorkerId="{worker}",le="+Inf"}} 3.0
ray_optionchain_batch_size_count{{WorkerId="{worker}"}} 3.0
ray_optionchain_batch_size_sum{{WorkerId="{worker}"}} 7.0
# HELP ray_node_cpu_utilization Of the machine
# TYPE ray_node_cpu_utilization gauge
ray_node_cpu_utilization 0.5
"""


def test_the_pages_of_all_nodes_are_one_page_of_our_series_only() -> None:
    page = merged([PAGE.format(worker="a", steps=1.0), PAGE.format(worker="b", steps=2.0)]).decode()

    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert set(families) == {"optionchain_steps", "optionchain_batch_size"}
    steps = {sample.labels["WorkerId"]: sample.value for sample in families["optionchain_steps"].samples}
    assert steps == {"a": 1.0, "b": 2.0}
    assert page.count("# TYPE optionchain_batch_size histogram") == 1
    assert len(families["optionchain_batch_size"].samples) == 6
