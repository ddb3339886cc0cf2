"""What watches a local instance: Prometheus and Alertmanager with the configuration of `ray_config/`."""
