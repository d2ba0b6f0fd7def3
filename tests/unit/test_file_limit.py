"""The open files that event streams need, and what `gateway check` says of them."""

import resource

from gateway.config import Settings
from gateway.roles.files import file_limit, files_needed


def test_a_limit_below_the_connections_is_a_problem_that_names_both():
    finding = file_limit(Settings(streams_max=5_000, http_connections_max=6_000), hard=4_096)
    assert (finding.state, finding.measured) == ("problem", "6200 may be needed for 5000 streams, 4096 allowed")
    assert "allow 6200" in finding.change


def test_a_limit_that_is_enough_or_none_is_well():
    settings = Settings()
    for hard in (files_needed(settings), resource.RLIM_INFINITY):
        assert file_limit(settings, hard).state == "ok"


def test_more_streams_than_connections_are_a_problem():
    finding = file_limit(Settings(streams_max=5_000, http_connections_max=800), hard=100_000)
    assert (finding.state, finding.change) == ("problem", "GATEWAY_HTTP_CONNECTIONS_MAX=6000")
