"""Our metrics of the whole cluster: gathered from Ray's agents, summed over processes, shown as one page."""
