"""Which ports are denied, and which should be looked at."""

from policy.facts.ports import DENIED_PORTS, LAST_PORT, denied_port, questionable_port


def test_what_runs_a_cluster_is_denied() -> None:
    """Guards against forgetting one of the ports that the references name."""
    for port in (2379, 2380, 6443, 10250, 15000, 15012, 15020, 18000, 19000, 19001, 19002, 19003, 9901, 2375):
        assert denied_port(port) is not None, port


def test_ordinary_ports_are_neither() -> None:
    """Guards against noise at ports that services really use."""
    for port in (1, 443, 8080, 8443, 9443, 11251, 17000, 27018, 29003, 29999, 32768, 50051, LAST_PORT):
        assert (denied_port(port), questionable_port(port)) == (None, None), port


def test_data_stores_and_node_ports_are_questionable() -> None:
    """Guards against losing the warning, and against the ends of the range of NodePorts."""
    for port in (22, 25, 3306, 5432, 6379, 9090, 9200, 11211, 15021, 27017, 30000, 32767):
        assert questionable_port(port) is not None, port


def test_no_port_is_both() -> None:
    """Guards against a port that is denied and also only questionable."""
    assert not [port for port in DENIED_PORTS if questionable_port(port) is not None]
