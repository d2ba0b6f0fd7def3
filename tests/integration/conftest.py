"""What several of these files begin with."""

from collections.abc import Iterator

import pytest

from gateway.store import Database
from tests.dsl.catalog import FAN, RULE, Maker, fan_rule
from tests.dsl.people import Site, site
from tests.dsl.stepped import SteppedIngest
from tests.dsl.story import SERIALS, Story
from tests.factories import PUMP, apply_hot_rule, make_fleet


@pytest.fixture
def world(url, db) -> Iterator[Site]:
    """The application over a new database."""
    with site(url, db) as made:
        yield made


@pytest.fixture
def database(url) -> Iterator[Database]:
    """A pool of connections to a new database."""
    with Database(url, "test", max_size=4) as opened:
        yield opened


@pytest.fixture
def story(url, database, db, tmp_path) -> Story:
    """Ada's 25 pumps, and the rule "Pump overheats"."""
    make_fleet(url, SERIALS)
    apply_hot_rule(url, tmp_path)
    return Story(url, database, db)


@pytest.fixture
def maker(url, tmp_path) -> Maker:
    """Pumps and fans, two units each, and a rule on the temperature of each."""
    maker = Maker(url, tmp_path)
    maker.products(PUMP, FAN)
    maker.units()
    maker.rules(RULE, fan_rule(RULE))
    return maker


@pytest.fixture
def ingest(maker, url) -> Iterator[SteppedIngest]:
    """Ingest over that catalog, moved by hand."""
    stepped = SteppedIngest(url)
    yield stepped
    stepped.kill()
