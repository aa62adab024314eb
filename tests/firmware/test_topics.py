from sandbox import topics

LONGEST_THING = "t" * 128


def test_filters_fit_one_subscribe():
    filters = topics.filters("x")
    assert filters[0] == ("$aws/things/x/jobs/notify", 1)
    assert len(filters) <= 8, "AWS IoT closes the connection for more"


def test_no_filter_matches_a_request_of_ours():
    def matches(name, topic):
        names, levels = name.split("/"), topic.split("/")
        if len(names) != len(levels):
            return False
        return all(n in ("+", t) for n, t in zip(names, levels))

    for request in ("get", "start-next", "id/get", "id/update", "$next/get"):
        for name, _ in topics.filters("x"):
            assert not matches(name, topics.prefix("x") + request), (name, request)


def test_prefix_takes_the_longest_thing():
    assert topics.prefix(LONGEST_THING) == "$aws/things/%s/jobs/" % LONGEST_THING
