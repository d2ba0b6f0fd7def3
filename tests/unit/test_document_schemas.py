"""What an older version stored stays readable, and a changed model without a new number fails the build."""

import json

import pytest
from pydantic import TypeAdapter

from gateway.core.documents import DocumentKind
from gateway.core.errors import Unavailable
from tests.dsl.documents import DIGESTS, STORED

EACH = pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)


def document_parts(document, models):
    return [(document[part] if part else document, model) for part, model in models.items()]


@EACH
def test_a_recorded_document_of_every_schema_is_readable_for_ever(stored):
    recorded = stored.recorded()
    assert {number for _, number, _ in recorded} == set(range(1, stored.kind.schema + 1)), "record one of each schema"
    for path, number, document in recorded:
        for value, model in document_parts(stored.kind.read(document, number), stored.models):
            assert TypeAdapter(model).validate_python(value) is not ..., path


@EACH
def test_a_changed_model_needs_a_new_number(stored):
    """Give the kind the next schema and an upgrade from the present one, record a document, and add its digest."""
    digests = json.loads(DIGESTS.read_text("utf-8"))
    assert digests[stored.name][str(stored.kind.schema)] == stored.digest()


@EACH
def test_what_sql_reads_of_a_document_stands_there_in_every_schema(stored):
    """SQL reads past the upgrades. One recorded document of each schema has the path at least."""
    for path in stored.kind.sql_paths:
        for number in range(1, stored.kind.schema + 1):
            assert any(
                has_path(document, path.split(".")) for _, each, document in stored.recorded() if each == number
            ), path


def has_path(document, path):
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return True


class TestADocumentKind:
    renamed = DocumentKind("note", 2, {1: lambda old: {"heading": old["title"]}})

    def test_a_renamed_field_leaves_old_documents_readable(self):
        assert self.renamed.read({"title": "Hot"}, 1) == {"heading": "Hot"}
        assert self.renamed.read({"heading": "Hot"}, 2) == {"heading": "Hot"}

    def test_upgrades_go_from_schema_to_schema(self):
        counting = DocumentKind("list", 3, {1: lambda old: [*old, 2], 2: lambda old: [*old, 3]})
        assert counting.read([1], 1) == [1, 2, 3]
        assert counting.read([1], 2) == [1, 3]

    @pytest.mark.parametrize("schema", [3, 0])
    def test_one_of_a_newer_version_is_refused_in_words(self, schema):
        with pytest.raises(Unavailable, match="A stored note was written by a newer version: it has schema"):
            self.renamed.read({}, schema)

    @pytest.mark.parametrize("upgrades", [{}, {2: dict}, {1: dict, 2: dict}])
    def test_no_upgrade_may_be_missing_or_too_many(self, upgrades):
        with pytest.raises(ValueError, match="give one upgrade for each schema below 2"):
            DocumentKind("note", 2, upgrades)
