"""An import of any size holds back nobody's notice."""

from gateway.imports.rows import import_rows


def test_an_alarm_is_told_while_an_import_of_owners_is_being_put_into_force(story, url, tmp_path):
    """Its one transaction is open still, and one of the units that overheat is among its rows."""
    rows = "".join(f"Bob,bob@example.org,pump/P{n},2026-06-30T00:00:00Z\n" for n in range(2, 26))
    (file := tmp_path / "owners.csv").write_text("person,email,unit,since\n" + rows)
    told: list[object] = []

    def alarm(phase: str, done: int, total: int | None) -> None:
        if phase == "apply" and done == total and not told:
            story.raise_("P1", "P2")
            story.work()
            told.extend(story.db.execute("SELECT p.name FROM notice n JOIN person p ON p.id = n.person_id").fetchall())

    import_rows(url, "owners", [file], actor="maker", show=alarm)
    assert [row["name"] for row in told] == ["Ada", "Ada"], "the import is not committed: P2 is hers"
