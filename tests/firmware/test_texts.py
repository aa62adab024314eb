from sandbox import texts


def test_every_row_of_both_tables_has_three_fields():
    for name in ("causes.txt", "help.txt"):
        for row in texts.rows(name):
            assert len(row) == 3, row
            assert row[0] and row[2], row


def test_no_key_stands_twice():
    for name in ("causes.txt", "help.txt"):
        keys = [row[0] for row in texts.rows(name)]
        assert len(keys) == len(set(keys))


def test_comments_are_left_out():
    assert all(not row[0].startswith("#") for row in texts.rows("help.txt"))


def test_a_row_is_found_by_its_whole_key():
    assert texts.find("help.txt", "quit")[0] == "quit"
    assert texts.find("help.txt", "qui") is None
    assert texts.find("help.txt", "") is None


def test_the_samples_commands_come_first_and_in_its_order():
    commands = [row[0] for row in texts.rows("help.txt")]
    assert commands[:4] == [
        "get-pending-job-executions",
        "start-next-pending-job-execution",
        "describe-job-execution",
        "update-job-execution",
    ]
